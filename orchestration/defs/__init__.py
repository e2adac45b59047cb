"""Definitions, one module for each kind; Dagster loads every one of them."""
