"""The dbt project as orchestration sees it: command lines, versions, names. dbt itself is not run."""

import os
from contextlib import suppress
from datetime import date

import dagster as dg
import pytest
from dagster._utils.env import environ

from orchestration.dbt import specs
from orchestration.dbt.check_names import described
from orchestration.dbt.cli_resource import build_arguments
from orchestration.dbt.translator import WarehouseDbtTranslator
from publishing.dbt_manifest import windowed_tables
from publishing.loaded_version import PROJECT_DIR
from warehouse.window import Window


def test_a_build_is_told_both_ends_of_its_window_the_end_exclusive() -> None:
    arguments = build_arguments(Window(date(2026, 10, 1), date(2026, 11, 1)))
    assert arguments[0] == "build"
    assert arguments[arguments.index("--event-time-start") + 1] == "2026-10-01"
    assert arguments[arguments.index("--event-time-end") + 1] == "2026-11-01"
    assert "--vars" not in arguments, "changed vars would force a full parse"


def test_seeds_of_this_project_that_only_lines_are_read_by_make_no_day_stale() -> None:
    sql = " ".join(path.read_text() for path in (PROJECT_DIR / "models").rglob("*.sql"))
    unread = {path.stem for path in (PROJECT_DIR / "seeds").glob("*.csv") if f"ref('{path.stem}')" not in sql}
    assert {"crawlers", "personal_keys", "placeholder_ids"} <= unread


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
    generic = {
        "unique_id": "test.marketplace.one_row_per_x_day__asset_id.0123",
        "name": "one_row_per_key",
        "test_metadata": {"name": "one_row_per", "kwargs": arguments},
    }
    assert described(generic) == (
        "There is one row per day, asset_id; nulls of asset_id count as one value. It is run for the days that are"
        " built (dbt test `one_row_per_x_day__asset_id`)."
    )
    said = {**generic, "description": "One row a group."}
    assert described(said) == "One row a group. (dbt test `one_row_per_x_day__asset_id`)"
    assert described({"name": "assert_no_event_is_lost"}) == "Assert no event is lost (dbt test)."


def test_no_check_has_a_name_that_is_too_long_to_read() -> None:
    names = [(spec.asset_key, spec.name) for spec in specs.specs().checks]
    assert [name for _, name in names if len(name) > 60] == []
    assert len(set(names)) == len(names)
    assert (dg.AssetKey(["build", "daily_metrics"]), "one_row_per_key") in names
    assert (dg.AssetKey(["seeds", "known_referrers"]), "known_referrers_are_usable") in [
        (dg.AssetKey(["seeds", key.path[-1]]), name) for key, name in names
    ]


def test_variables_of_a_child_process_are_gone_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRESENT", "before")
    monkeypatch.delenv("ABSENT", raising=False)
    with suppress(ZeroDivisionError), environ({"PRESENT": "during", "ABSENT": "during"}):
        assert (os.environ["PRESENT"], os.environ["ABSENT"]) == ("during", "during")
        raise ZeroDivisionError
    assert os.environ["PRESENT"] == "before"
    assert "ABSENT" not in os.environ
