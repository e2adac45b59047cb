"""dbt in this process, on a manifest that is parsed once, which makes a build take less than a second."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from orchestration.dbt import cli_resource
from publishing import loaded_version
from warehouse.connection import Warehouse

# What dbt says is taken from its results; its logs and artifacts would take a fifth of a small build.
# Threads would wait for each other more than for the server: as many tests run at once as there are cores.
_SILENT = ("--log-level", "none", "--log-level-file", "none", "--no-write-json", "--single-threaded")


def run_dbt(
    warehouse: Warehouse,
    arguments: Sequence[str],
    build_id: str = "",
    *,
    build_variables: Mapping[str, str] | None = None,
    project_dir: Path = loaded_version.PROJECT_DIR,
) -> list[str]:
    """Run dbt in this process against a warehouse; the names of the nodes that ran.

    Raises AssertionError with dbt's words when it fails.
    """
    from dbt.cli.main import dbtRunner
    from dbt_common.events.functions import reset_metadata_vars

    manifest = _parsed_manifest(warehouse, project_dir)
    # dbt reads the build id once a process; here one process runs many builds.
    reset_metadata_vars()
    command, *options = arguments
    variables = {**_dbt_environment(warehouse), cli_resource.BUILD_ID_VARIABLE: build_id, **(build_variables or {})}
    with patch.dict(os.environ, variables), _quick():
        outcome = dbtRunner(manifest=manifest).invoke(
            [command, *_SILENT, *options, "--project-dir", str(project_dir), "--profiles-dir", str(project_dir)]
        )
    results = getattr(outcome.result, "results", None) or []
    if not outcome.success:
        failed = [f"{r.node.name}: {r.status} {r.message}" for r in results if r.status not in ("success", "pass")]
        raise AssertionError(f"dbt {' '.join(arguments)} failed: {outcome.exception or chr(10).join(failed)}")
    return [result.node.name for result in results]


@contextmanager
def _quick() -> Iterator[None]:
    """Without what most of the time of a small build goes into, and none of its tables depends on."""
    from dbt_common.behavior_flags import BehaviorFlagRendered
    from dbt_common.clients.jinja import MacroFuzzEnvironment
    from dbt_common.events.event_manager import EventManager

    with (
        # For a message that nobody sees, each invocation looks up who called it: for every flag through all frames, and
        # for a frame without a file, as pytest-xdist has, through all modules: 4 s in a process that has run others.
        patch.object(BehaviorFlagRendered, "_default_source", return_value="dbt"),
        # Each event becomes a message before it is seen that none are written. What is deprecated is found by parsing.
        patch.object(EventManager, "fire_event"),
        # The same templates are compiled again by each invocation.
        patch.object(MacroFuzzEnvironment, "compile", _compile_once),
    ):
        yield


_compiled: dict[tuple[type[Any], str], Any] = {}


def _compile_once(self: Any, source: str) -> Any:
    from jinja2.sandbox import SandboxedEnvironment

    key = (type(self), source)
    if key not in _compiled:
        _compiled[key] = SandboxedEnvironment.compile(self, source)
    return _compiled[key]


@cache
def target_folder() -> str:
    """Where dbt writes in this process: others read the manifest in its usual place while this one writes."""
    folder = tempfile.mkdtemp(prefix="dbt-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _dbt_environment(warehouse: Warehouse) -> dict[str, str]:
    return {
        **warehouse.dbt_env(),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_TARGET_PATH": target_folder(),
        "DBT_LOG_PATH": target_folder(),
    }


_manifests: dict[Path, Any] = {}


def _parsed_manifest(warehouse: Warehouse, project_dir: Path) -> Any:
    if project_dir not in _manifests:
        from dbt.cli.main import dbtRunner

        parse = ["parse", "--project-dir", str(project_dir), "--profiles-dir", str(project_dir), *_SILENT]
        with patch.dict(os.environ, _dbt_environment(warehouse)):
            outcome = dbtRunner().invoke(parse)
            if not outcome.success:
                # After a project in which a model has another name, dbt fails to parse only what differs.
                outcome = dbtRunner().invoke([*parse, "--no-partial-parse"])
        assert outcome.success, outcome.exception
        _manifests[project_dir] = outcome.result
    return _manifests[project_dir]
