"""Dagster: assets, partitions, gates, schedules, publication. The only package that imports Dagster."""
