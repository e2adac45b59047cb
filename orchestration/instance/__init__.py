"""Dagster's instance as this project configures it: storage, run launcher, executor, logs, pruning."""
