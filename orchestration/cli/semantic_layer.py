"""The command `metricflow`: MetricFlow on the semantic layer of the dbt project, which reads published marts as BI.

MetricFlow has an environment of its own and works on a copy of the dbt project, parsed for target marts. The manifest
of the pipeline stays as it is.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click

from orchestration.cli.environment import provisioned_warehouse
from publishing.loaded_version import PROJECT_DIR
from warehouse.connection import CHECKOUT, Warehouse
from warehouse.roles.readers import BI_READER

FOLDER: Final = CHECKOUT / "build" / "semantic"
PROGRAMS: Final = FOLDER / "venv" / "bin"
_TARGET: Final = "marts"
_NOT_COPIED: Final = {"target", "logs", "__pycache__"}


class SemanticLayerError(click.ClickException):
    """MetricFlow cannot be run; the message says why, and what to do."""


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def metricflow(arguments: tuple[str, ...]) -> int:
    """Run MetricFlow's program mf with ARGUMENTS on the published marts, as bi_reader."""
    return run(provisioned_warehouse(), arguments or ("--help",))


def run(warehouse: Warehouse, arguments: tuple[str, ...], *, folder: Path = FOLDER, programs: Path = PROGRAMS) -> int:
    """Run MetricFlow; return its exit code. Raises SemanticLayerError."""
    if not (programs / "mf").exists():
        raise SemanticLayerError("MetricFlow is not installed yet; make metricflow installs it")
    project = folder / "project"
    environment = environment_for(warehouse, project)
    _copy_project(project, environment, programs)
    return subprocess.run([programs / "mf", *arguments], cwd=project, env=environment, check=False).returncode


def environment_for(warehouse: Warehouse, project: Path) -> Mapping[str, str]:
    """Return the environment of dbt and MetricFlow: target marts, by the login bi_reader."""
    password = warehouse.reader_passwords.get(BI_READER.name)
    if password is None:
        raise SemanticLayerError("the password of bi_reader is not known: set WAREHOUSE_BI_PASSWORD")
    return {
        **os.environ,
        "DBT_TARGET": _TARGET,
        "WAREHOUSE_HOST": warehouse.host,
        "WAREHOUSE_PORT": str(warehouse.port),
        "WAREHOUSE_USER": BI_READER.name,
        "WAREHOUSE_PASSWORD": password,
        "WAREHOUSE_DATABASE": warehouse.database,
        "DBT_PROJECT_DIR": str(project),
        "DBT_PROFILES_DIR": str(project),
        "DBT_TARGET_PATH": str(project / "target"),
        "DBT_LOG_PATH": str(project / "logs"),
    }


def _copy_project(project: Path, environment: Mapping[str, str], programs: Path) -> None:
    """Copy the dbt project and parse it, unless the copy is of the same files."""
    # The manifest names the database in every relation.
    digest = hashlib.sha256(environment["WAREHOUSE_DATABASE"].encode())
    for path in _files(PROJECT_DIR):
        digest.update(f"{path.relative_to(PROJECT_DIR)}\0".encode() + path.read_bytes())
    made = project / "target" / "copied"
    if made.exists() and made.read_text() == digest.hexdigest():
        return
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(PROJECT_DIR, project, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    parsed = subprocess.run(
        [programs / "dbt", "--quiet", "parse"],
        cwd=project,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if parsed.returncode:
        raise SemanticLayerError(f"dbt cannot parse the semantic layer: {(parsed.stdout + parsed.stderr).strip()}")
    made.write_text(digest.hexdigest())


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _NOT_COPIED.intersection(path.relative_to(folder).parts):
            yield path
