"""Code location of Dagster: everything in defs/, for the version of the project that was loaded."""

from functools import cache

import dagster as dg
from dagster.components import load_from_defs_folder

from ingestion import validation_lists
from publishing import dbt_manifest, loaded_version


@dg.definitions
def definitions() -> dg.Definitions:
    """Return every asset, check, job, schedule, sensor and resource of the warehouse."""
    return _loaded()


@cache
def _loaded() -> dg.Definitions:
    # A run asks for the definitions six times, and Dagster would load the folder again each time (0.2 s).
    # First of all: the modules that are imported from here on are those of the code that is pinned.
    loaded_version.pin()
    validation_lists.read_from(loaded_version.project_dir() / "seeds")
    loaded = load_from_defs_folder(path_within_project=loaded_version.CHECKOUT)
    dbt_manifest.project_version()
    loaded_version.assert_code_unchanged()
    return loaded
