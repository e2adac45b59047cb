"""The embedded Postgres server of a checkout: programs, data folder, processes, configuration."""
