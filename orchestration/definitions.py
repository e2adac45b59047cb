"""The code location: loads everything in defs/ and nothing else."""

import dagster as dg
from dagster.components import load_from_defs_folder


@dg.definitions
def definitions() -> dg.Definitions:
    """Every asset, check, job, schedule, sensor and resource of the warehouse."""
    from orchestration.dbt import PROJECT_DIR

    return load_from_defs_folder(path_within_project=PROJECT_DIR.parent)
