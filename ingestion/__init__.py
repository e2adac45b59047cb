"""From source records to schema raw: landing files and the product's own tables. Knows neither Dagster nor dbt."""
