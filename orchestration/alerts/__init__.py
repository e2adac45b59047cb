"""Dagster's part in alerts: what its runs and the settings say about faults."""
