"""The dbt project as orchestration sees it: command lines, versions, names. dbt itself is not run."""

import os
from contextlib import suppress
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

import attribution
from orchestration.dbt.cli_resource import build_arguments, environment
from orchestration.dbt.translator import WarehouseDbtTranslator, described_test
from publishing.dbt_manifest import version_of, windowed_tables
from publishing.loaded_version import PROJECT_DIR
from warehouse.window import Window


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "dbt_project.yml": "name: small",
        "models/numbers.sql": "select 1 as number from {{ ref('types') }}",
        "models/_models.yml": "models: []",
        "macros/window.sql": "{% macro window() %}{% endmacro %}",
        "seeds/types.csv": "type\na\n",
        "seeds/placeholders.csv": "placeholder\nnone\n",
        "tests/singular/assert_numbers.sql": "select 1 where false",
        "target/manifest.json": "{}",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    _set_times(tmp_path, 1_000)
    return tmp_path


def _set_times(folder: Path, seconds: int) -> None:
    for path in folder.rglob("*"):
        _set_time(path, seconds)


def _set_time(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


def test_a_build_is_told_both_ends_of_its_window_the_end_exclusive() -> None:
    arguments = build_arguments(Window(date(2026, 10, 1), date(2026, 11, 1)))
    assert arguments[0] == "build"
    assert arguments[arguments.index("--event-time-start") + 1] == "2026-10-01"
    assert arguments[arguments.index("--event-time-end") + 1] == "2026-11-01"
    assert "--vars" not in arguments, "changed vars would force a full parse"


@pytest.mark.parametrize(
    "file", ["models/numbers.sql", "macros/window.sql", "seeds/types.csv", "dbt_project.yml", "models/more.sql"]
)
def test_what_changes_the_tables_changes_the_model_version(project: Path, file: str) -> None:
    before = version_of(project)
    (project / file).write_text("something else")
    assert version_of(project) != before


def test_seeds_of_this_project_that_only_lines_are_read_by_make_no_day_stale() -> None:
    sql = " ".join(path.read_text() for path in (PROJECT_DIR / "models").rglob("*.sql"))
    unread = {path.stem for path in (PROJECT_DIR / "seeds").glob("*.csv") if f"ref('{path.stem}')" not in sql}
    assert {"crawlers", "personal_keys", "placeholder_ids"} <= unread


def test_the_code_of_the_fits_is_part_of_the_model_version(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path_factory.mktemp("attribution")
    monkeypatch.setattr(attribution, "__file__", str(package / "__init__.py"))
    before = version_of(project)
    (package / "markov.py").write_text("something else")
    assert version_of(project) != before


def test_renaming_a_model_changes_the_model_version(project: Path) -> None:
    before = version_of(project)
    (project / "models/numbers.sql").rename(project / "models/figures.sql")
    assert version_of(project) != before


@pytest.mark.parametrize(
    "file",
    [
        "models/_models.yml",
        "tests/singular/assert_numbers.sql",
        "target/manifest.json",
        "seeds/placeholders.csv",
    ],
)
def test_descriptions_tests_artifacts_and_seeds_that_no_model_reads_leave_the_model_version(
    project: Path, file: str
) -> None:
    before = version_of(project)
    (project / file).write_text("something else")
    assert version_of(project) == before


def test_the_model_version_is_that_of_the_content_and_not_of_the_clock(project: Path) -> None:
    before = version_of(project)
    _set_times(project, 5_000)
    assert version_of(project) == before


def test_windowed_tables_are_the_windowed_models_with_their_day() -> None:
    manifest = {
        "nodes": {
            name: {
                "resource_type": kind,
                "schema": "build",
                "name": name,
                "config": {"materialized": materialized, "event_time": "day"},
            }
            for name, kind, materialized in [
                ("metrics", "model", "windowed"),
                ("a_view", "model", "view"),
                ("a_seed", "seed", "seed"),
            ]
        }
    }
    assert windowed_tables(manifest) == {("build", "metrics"): "day"}


def test_asset_keys_are_schema_and_table_and_those_of_sources_what_they_say() -> None:
    translator = WarehouseDbtTranslator()
    model = {"resource_type": "model", "schema": "build", "name": "daily_metrics"}
    source = {"resource_type": "source", "config": {"meta": {"dagster": {"asset_key": ["raw", "events"]}}}}
    assert translator.get_asset_key(model) == dg.AssetKey(["build", "daily_metrics"])
    assert translator.get_asset_key(source) == dg.AssetKey(["raw", "events"])
    assert translator.get_group_name(model) == "build"


def test_a_dbt_test_is_described_by_its_own_words_else_by_its_arguments() -> None:
    arguments = {"key": ["day", "asset_id"], "nullable": ["asset_id"], "model": "{{ ref('x') }}"}
    generic = {"name": "one_row_per_x_day__asset_id", "test_metadata": {"name": "one_row_per", "kwargs": arguments}}
    assert described_test(generic) == "dbt test one row per: key day, asset_id; nullable asset_id"
    assert described_test({**generic, "description": "One row a group."}) == "One row a group."
    assert described_test({"name": "assert_no_event_is_lost"}) == "dbt test assert no event is lost"


def test_variables_of_a_child_process_are_gone_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRESENT", "before")
    monkeypatch.delenv("ABSENT", raising=False)
    with suppress(ZeroDivisionError), environment({"PRESENT": "during", "ABSENT": "during"}):
        assert (os.environ["PRESENT"], os.environ["ABSENT"]) == ("during", "during")
        raise ZeroDivisionError
    assert os.environ["PRESENT"] == "before"
    assert "ABSENT" not in os.environ
