"""The dbt project and its manifest: files, version of the models, vars, windowed tables."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import attribution
from publishing.loaded_version import project_dir

DBT_EXECUTABLE: Final = Path(sys.executable).with_name("dbt")

# Names in quotes. They include every relation that a model or macro reads, also through an argument.
_QUOTED: Final = re.compile(rb"""['"](\w+)['"]""")


def project_files(folder: Path) -> list[Path]:
    """Return every file that dbt reads, sorted."""
    names = ("models", "macros", "seeds", "tests")
    files = (path for name in names for path in (folder / name).rglob("*") if path.is_file())
    return sorted([folder / "dbt_project.yml", *files])


@cache
def model_version() -> str:
    """Return the version of the models that this process works with."""
    return version_of(project_dir())


def version_of(folder: Path) -> str:
    """Return a digest of everything that decides the rows of tables: SQL, seeds, settings, the code of the fits.

    Descriptions, tests and seeds that no model reads are no part of it. Ingestion reads those seeds, and has a digest
    of its own (ingestion/rules_digest.py).
    """
    digest = hashlib.sha256()
    for module in sorted(Path(attribution.__file__).parent.glob("*.py")):
        digest.update(f"{module.name}\0".encode() + module.read_bytes() + b"\0")
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in project_files(folder)}
    code = {name: content for name, content in contents.items() if name.endswith(".sql") and name[:6] != "tests/"}
    read = {name.decode() for content in code.values() for name in _QUOTED.findall(content)}
    for name, content in sorted(contents.items()):
        is_read_seed = name.endswith(".csv") and name[:6] != "tests/" and Path(name).stem in read
        if name in code or is_read_seed or name == "dbt_project.yml":
            digest.update(f"{name}\0".encode() + content + b"\0")
    return digest.hexdigest()[:16]


@cache
def lookback_days(of: str) -> int:
    """Return a lookback of the project's vars: of `attribution` (before a conversion) or `funnel` (before a step)."""
    import yaml

    return int(yaml.safe_load((project_dir() / "dbt_project.yml").read_text())["vars"][f"{of}_lookback_days"])


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
