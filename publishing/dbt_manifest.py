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
from publishing.model_versions import ProjectVersion, PythonTable, model_versions
from publishing.scopes import Scope, scope_of

DBT_EXECUTABLE: Final = Path(sys.executable).with_name("dbt")

# The source that package attribution writes.
VALUES: Final = "attribution_channel_values"


@cache
def project_version() -> ProjectVersion:
    """Return the versions of the project that this process works with."""
    return project_version_of(manifest(), variables(), project_dir())


def project_version_of(manifest: Mapping[str, Any], variables: Mapping[str, Any], folder: Path) -> ProjectVersion:
    """Return the versions of the project in a folder, by its manifest and its vars."""
    code = Path(attribution.__file__).parent
    fits = PythonTable(sorted(code.glob("*.py")), [name for _, name in journeys.TABLES])
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    whole = {
        node["name"]
        for node in models
        if not (node["config"]["materialized"] == "windowed" and scope_of(node) in (Scope.DAY, Scope.WEEK, Scope.MONTH))
    }
    rollups = {node["name"] for node in models if scope_of(node) is not Scope.DAY}
    versions = model_versions(manifest, project=folder, variables=variables, python={VALUES: fits})
    return ProjectVersion(versions, whole, rollups)


@cache
def lookback_days(of: str) -> int:
    """Return a lookback of the project's vars: of `attribution` (before a conversion) or `funnel` (before a step)."""
    return int(variables()[f"{of}_lookback_days"])


@cache
def variables() -> Mapping[str, Any]:
    """Return the vars of the project that this process works with."""
    return variables_of(project_dir())


def variables_of(folder: Path) -> Mapping[str, Any]:
    """Return the vars of the project in a folder."""
    import yaml

    # The parser in C takes 2 ms where the one in Python takes 20 (2026-11).
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    variables: Mapping[str, Any] = yaml.load((folder / "dbt_project.yml").read_text(), loader)["vars"]  # noqa: S506
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


def windowed_tables(manifest: Mapping[str, Any], *, scope: Scope | None = None) -> dict[tuple[str, str], str]:
    """Return schema and name of every table that models write window by window, with the column that has its day.

    With a scope only tables of this scope.
    """
    return {
        (node["schema"], node["name"]): node["config"]["event_time"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "windowed"
        if scope is None or scope_of(node) is scope
    }


def parents_of(manifest: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the names of what each model and each table that Python writes is made from: models, seeds, sources."""
    models = {
        node["name"]: frozenset(parent.rpartition(".")[2] for parent in node["depends_on"]["nodes"])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    return {**models, VALUES: frozenset(name for _, name in journeys.TABLES)}
