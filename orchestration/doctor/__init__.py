"""Diagnosis of a set-up: findings about machine, Postgres server and state of the warehouse, which change nothing."""
