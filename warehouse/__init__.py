"""The Postgres warehouse: window, settings, connection, locks, shared tables, roles. Knows no data and no Dagster."""
