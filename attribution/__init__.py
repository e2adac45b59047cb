"""Data-driven attribution: values of channels, fitted for each ISO week on the journeys of the days before it.

The package reads two tables of schema intermediate and writes one. dbt model attribution_credits turns values into
credits. Library marketing-attribution-models is no dependency, since its requirements clash with those of the
warehouse. tests/golden/attribution compares the values with those of the library.
"""
