"""Data-driven attribution: what each channel is worth, fitted for an ISO week on the journeys of the days before it.

Knows neither Dagster nor dbt nor ingestion: it reads two tables of schema intermediate and writes one. How the values
become credits is SQL of the dbt project.
"""
