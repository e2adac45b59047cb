"""dbt's command line as a Dagster resource: its executable, and its arguments for a window."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from packaging.version import Version

from orchestration.dbt.light_import import DbtCliResource
from publishing.dbt_manifest import DBT_EXECUTABLE
from publishing.loaded_version import project_dir
from warehouse.window import Window

# dbt in a process that ends with its run (orchestration/dbt/process.py).
RUN_DBT_EXECUTABLE: Final = DBT_EXECUTABLE.with_name("warehouse-dbt")

# dbt hands these to the project as dbt_metadata_envs, without the prefix; unlike vars they cost no new parse.
BUILD_ID_VARIABLE: Final = "DBT_ENV_CUSTOM_ENV_WAREHOUSE_BUILD_ID"


def build_arguments(window: Window, selection: Sequence[str] = ()) -> list[str]:
    """Return the arguments that build and test a window: all nodes, or those of the selection.

    dbt's unit tests are left out: they test the code and not the data, and run in the test suite.
    """
    return [
        "build",
        "--event-time-start",
        window.start.isoformat(),
        "--event-time-end",
        window.end.isoformat(),
        "--exclude-resource-type",
        "unit_test",
        *selection,
    ]


class WarehouseDbt(DbtCliResource):
    """DbtCliResource without two costs of each run whose results are not used here.

    A child process asks for dbt's version and looks up an outside host. The parent imports the adapter once more.
    """

    @cached_property
    def _cli_version(self) -> Version:
        from importlib.metadata import version

        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:  # noqa: ARG002
        return None


def warehouse_dbt() -> WarehouseDbt:
    """Return the resource for this project, with the dbt that is installed beside this Python."""
    folder = str(project_dir())
    return WarehouseDbt(project_dir=folder, profiles_dir=folder, dbt_executable=str(RUN_DBT_EXECUTABLE))
