"""The embedded Postgres server of a checkout: its programs, its folder, its processes, its settings."""
