"""The code location: loads everything in defs/ and nothing else."""

from functools import cache

import dagster as dg
from dagster.components import load_from_defs_folder


@dg.definitions
def definitions() -> dg.Definitions:
    """Every asset, check, job, schedule, sensor and resource of the warehouse."""
    return _loaded()


@cache
def _loaded() -> dg.Definitions:
    # A run asks for the definitions six times, and Dagster would load the folder anew each time (0.2 s).
    from orchestration.dbt import PROJECT_DIR

    return load_from_defs_folder(path_within_project=PROJECT_DIR.parent)
