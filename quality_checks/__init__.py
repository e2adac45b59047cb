"""Checks of a window in SQL and Great Expectations: is it fit to publish? Knows neither Dagster nor ingestion."""
