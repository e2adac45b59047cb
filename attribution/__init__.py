"""Data-driven attribution: values of channels, fitted for each ISO week on the journeys of the days before it.

The package reads two tables of schema intermediate and writes one. dbt model attribution_credits turns values into
credits.
"""
