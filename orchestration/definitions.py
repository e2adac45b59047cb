"""Code location of Dagster: everything in defs/, for the version of the project that was loaded."""

import gc
from functools import cache
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._utils.warnings import disable_dagster_warnings

from ingestion import validation_lists
from publishing import dbt_manifest, loaded_version
from warehouse import garbage_collection

# Of the folder that pyproject.toml names, [tool.dg].
_WHOLE_FOLDER: Final = Path()


@dg.definitions
def definitions() -> dg.Definitions:
    """Return every asset, check, job, schedule, sensor and resource of the warehouse."""
    return _loaded()


@cache
def _loaded() -> dg.Definitions:
    # A run asks for the definitions six times, and Dagster would load the folder again each time (0.2 s).
    # First of all: the modules that are imported from here on are those of the code that is pinned.
    with garbage_collection.paused():
        loaded_version.pin()
        validation_lists.read_from(loaded_version.project_dir() / "seeds")
        loaded = _defs_folder()
        dbt_manifest.project_version()
        loaded_version.assert_code_unchanged()
        # Definitions and modules stay as long as the process. The collector need not search them (0.2 s, 2026-11).
        gc.freeze()
    return loaded


def _defs_folder() -> dg.Definitions:
    """Return what Dagster finds in the folder of definitions.

    Dagster's own load_from_defs_folder adds JSON schemas of all components that are installed, for scaffolding of new
    ones. Nothing reads these schemas here, and they took a quarter of the load (0.3 of 1.3 s of CPU, 2026-11).
    """
    tree = dg.ComponentTree.for_project(loaded_version.CHECKOUT)
    # As load_from_defs_folder does: how Dagster loads a module is its own affair.
    with disable_dagster_warnings():
        found = tree.build_defs(_WHOLE_FOLDER)
    return dg.Definitions.merge(found, dg.Definitions(component_tree=tree))
