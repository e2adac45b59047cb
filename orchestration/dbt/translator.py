"""The dbt project as Dagster sees it: where it is, how its nodes are named, and how its command lines are built."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import dagster as dg
from packaging.version import Version

import attribution
from orchestration.dbt.light_import import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource
from publishing.loaded_version import project_dir
from warehouse.window import Window

DBT_EXECUTABLE: Final = Path(sys.executable).with_name("dbt")
# The same in a process that ends with its run (dbt_process.py).
RUN_DBT_EXECUTABLE: Final = DBT_EXECUTABLE.with_name("warehouse-dbt")

# dbt hands these to the project as dbt_metadata_envs, without the prefix; unlike vars they cost no new parse.
BUILD_ID_VARIABLE: Final = "DBT_ENV_CUSTOM_ENV_WAREHOUSE_BUILD_ID"

# Names in quotes: among them are all that a model or macro reads, also by way of an argument.
_QUOTED: Final = re.compile(rb"""['"](\w+)['"]""")

OWNERS: Final = ("team:data-engineering",)


def build_arguments(window: Window, selection: Sequence[str] = ()) -> list[str]:
    """The command line that builds and tests a window: everything, or what the options of the selection say.

    dbt's unit tests are left out: they judge the code and not the data, and run in the test suite.
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


def project_files(folder: Path) -> list[Path]:
    """Every file that dbt reads, sorted."""
    names = ("models", "macros", "seeds", "tests")
    files = (path for name in names for path in (folder / name).rglob("*") if path.is_file())
    return sorted([folder / "dbt_project.yml", *files])


@cache
def model_version() -> str:
    """Return the version of the models that this process works with."""
    return version_of(project_dir())


def version_of(folder: Path) -> str:
    """Return a digest of what decides the content of the tables: SQL, seeds, settings, the code of the fits.

    Descriptions and tests are no part of it, nor seeds that no model reads: those are lists for what reads lines, and
    have a digest of their own (ingestion/rules_digest.py).
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
    """How many days are looked back: before a conversion for its touchpoints (of `attribution`), before a step of the
    funnel for the earlier ones (of `funnel`). The project's vars."""
    import yaml

    return int(yaml.safe_load((project_dir() / "dbt_project.yml").read_text())["vars"][f"{of}_lookback_days"])


def target_dir() -> Path:
    """Return the folder in which dbt writes for the project that this process works with."""
    return project_dir() / "target"


def parse(folder: Path) -> None:
    """Write the manifest anew. Raises RuntimeError with dbt's own words when the project has a mistake."""
    target = folder / "target"
    target.mkdir(exist_ok=True)
    # Parsing opens no connection, but the profile is rendered and insists on its variables.
    names = ("HOST", "PORT", "USER", "PASSWORD", "DATABASE")
    placeholders = {f"WAREHOUSE_{name}": "0" for name in names} | {"DBT_TARGET": "warehouse"}
    # In a folder of its own: others may be reading the manifest, or parsing too.
    with tempfile.TemporaryDirectory(prefix="parse-", dir=target) as made:
        outcome = subprocess.run(
            [str(DBT_EXECUTABLE), "parse", "--project-dir", str(folder), "--profiles-dir", str(folder)],
            env={
                **placeholders,
                **os.environ,
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
                "DBT_TARGET_PATH": made,
                "DBT_LOG_PATH": made,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if outcome.returncode:
            raise RuntimeError(f"dbt cannot parse the project in {folder}:\n{outcome.stdout}{outcome.stderr}")
        for name in ("partial_parse.msgpack", "manifest.json"):
            Path(made, name).replace(target / name)


@cache
def manifest() -> Mapping[str, Any]:
    """Return the manifest of the project that this process works with; parses it where no process has yet."""
    path = target_dir() / "manifest.json"
    if not path.exists():
        parse(project_dir())
    content: Mapping[str, Any] = json.loads(path.read_bytes())
    return content


def windowed_tables(manifest: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Schema and name of every table that models write window by window, with the column that carries its day."""
    return {
        (node["schema"], node["name"]): node["config"]["event_time"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "incremental"
    }


def daily_tables(manifest: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Those of the windowed tables whose rows are each of one day."""
    scopes = {
        (node["schema"], node["name"]): node["config"]["meta"].get("scope", "day")
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    return {table: column for table, column in windowed_tables(manifest).items() if scopes[table] == "day"}


def described_test(node: Mapping[str, Any]) -> str:
    """A dbt test in words: its description, else its kind and arguments, which its name runs together."""
    generic = node.get("test_metadata")
    if node.get("description") or not generic:
        return str(node.get("description") or f"dbt test {node['name'].replace('_', ' ')}")
    arguments = [
        f"{name.replace('_', ' ')} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in generic["kwargs"].items()
        if name != "model"
    ]
    return f"dbt test {generic['name'].replace('_', ' ')}: {'; '.join(arguments)}"


class WarehouseDbtTranslator(DagsterDbtTranslator):
    """dbt nodes as Dagster assets: key [schema, table], group by layer."""

    def __init__(self) -> None:
        super().__init__(settings=DagsterDbtTranslatorSettings(enable_asset_checks=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey(dbt_resource_props["config"]["meta"]["dagster"]["asset_key"])
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return str(dbt_resource_props["schema"])

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        # The manifest names the database of whoever parsed the project.
        name = f"{dbt_resource_props['schema']}.{dbt_resource_props['name']}"
        return {**super().get_metadata(dbt_resource_props), "dagster/table_name": name}

    def get_asset_check_spec(self, *args: Any, **kwargs: Any) -> dg.AssetCheckSpec | None:
        spec = super().get_asset_check_spec(*args, **kwargs)
        if spec is None or spec.description:
            return spec
        return spec._replace(description=described_test(kwargs["manifest"]["nodes"][kwargs["unique_id"]]))

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:  # noqa: ARG002
        return OWNERS


class WarehouseDbt(DbtCliResource):
    """dbt, run for a window and under a build id.

    Spares each run two things that dagster-dbt does and nobody here reads: a child process that asks for dbt's version,
    looking up an outside host, and a second import of the adapter in the parent.
    """

    @cached_property
    def _cli_version(self) -> Version:
        from importlib.metadata import version

        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:  # noqa: ARG002
        return None


def warehouse_dbt() -> WarehouseDbt:
    """The resource for this project, with the dbt that is installed beside this Python."""
    folder = str(project_dir())
    return WarehouseDbt(project_dir=folder, profiles_dir=folder, dbt_executable=str(RUN_DBT_EXECUTABLE))


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """These environment variables for the child processes started in the block; DbtCliResource passes on its own."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
