"""The definitions, one module a kind; Dagster loads every one of them."""
