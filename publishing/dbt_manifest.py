"""The dbt project and its manifest: versions of the models, vars, windowed tables."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import attribution
from attribution import journeys
from publishing.loaded_version import project_dir
from publishing.model_versions import PythonTable, model_versions, project_version

DBT_EXECUTABLE: Final = Path(sys.executable).with_name("dbt")

# The source that package attribution writes.
VALUES: Final = "attribution_channel_values"


@cache
def versions() -> Mapping[str, str]:
    """Return the version of every model that this process works with, and of the fitted values, by name."""
    return versions_of(manifest(), variables())


def versions_of(manifest: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, str]:
    """Return the versions of a manifest's models under these vars."""
    code = Path(attribution.__file__).parent
    fits = PythonTable(sorted(code.glob("*.py")), [name for _, name in journeys.TABLES])
    return model_versions(manifest, project=project_dir(), variables=variables, python={VALUES: fits})


@cache
def model_version() -> str:
    """Return one version for all models that this process works with."""
    return project_version(versions())


@cache
def lookback_days(of: str) -> int:
    """Return a lookback of the project's vars: of `attribution` (before a conversion) or `funnel` (before a step)."""
    return int(variables()[f"{of}_lookback_days"])


@cache
def variables() -> Mapping[str, Any]:
    import yaml

    variables: Mapping[str, Any] = yaml.safe_load((project_dir() / "dbt_project.yml").read_text())["vars"]
    return variables


def target_dir() -> Path:
    """Return the folder in which dbt writes for the project that this process works with."""
    return project_dir() / "target"


def parse(folder: Path) -> None:
    """Parse the project and write its manifest. Raises RuntimeError with dbt's output when it has a mistake."""
    target = folder / "target"
    target.mkdir(exist_ok=True)
    # Parsing opens no connection, but the profile is rendered and insists on its variables.
    names = ("HOST", "PORT", "USER", "PASSWORD", "DATABASE")
    placeholders = {f"WAREHOUSE_{name}": "0" for name in names} | {"DBT_TARGET": "warehouse"}
    # In a folder of its own: other processes may be reading the manifest, or parsing too.
    with tempfile.TemporaryDirectory(prefix="parse-", dir=target) as draft:
        outcome = subprocess.run(
            [str(DBT_EXECUTABLE), "parse", "--project-dir", str(folder), "--profiles-dir", str(folder)],
            env={
                **placeholders,
                **os.environ,
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
                "DBT_TARGET_PATH": draft,
                "DBT_LOG_PATH": draft,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if outcome.returncode:
            raise RuntimeError(f"dbt cannot parse the project in {folder}:\n{outcome.stdout}{outcome.stderr}")
        for name in ("partial_parse.msgpack", "manifest.json"):
            Path(draft, name).replace(target / name)


@cache
def manifest() -> Mapping[str, Any]:
    """Return the manifest of the project that this process works with; parses it where no process has yet."""
    path = target_dir() / "manifest.json"
    if not path.exists():
        parse(project_dir())
    content: Mapping[str, Any] = json.loads(path.read_bytes())
    return content


def windowed_tables(manifest: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return schema and name of every table that models write window by window, with the column that has its day."""
    return {
        (node["schema"], node["name"]): node["config"]["event_time"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "windowed"
    }


def daily_tables(manifest: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return those of the windowed tables whose rows are of one day each."""
    scopes = {
        (node["schema"], node["name"]): node["config"]["meta"].get("scope", "day")
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    return {table: column for table, column in windowed_tables(manifest).items() if scopes[table] == "day"}
