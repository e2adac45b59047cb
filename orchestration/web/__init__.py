"""Dagster's web page, served to its own pages alone."""
