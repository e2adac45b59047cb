"""A dbt build writes its window, all of it and nothing else; without a window, without the right to write, or onto a
table of another shape it writes nothing.
"""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from publishing import loaded_version
from tests.support.pipeline import START, Pipeline, run_dbt
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import writing

pytestmark = pytest.mark.models("daily_metrics", "daily_metrics_by_channel")

SECOND = START + ONE_DAY
BOTH_DAYS = Window(START, SECOND + ONE_DAY)
BUILT = ["intermediate", "build"]
WINDOWED = ["--select", "config.materialized:windowed"]


def view(day: date, **fields: object) -> dict[str, Any]:
    return {"eventType": "asset_viewed", "occurredAt": f"{day}T12:00:00Z", "anonymousId": "device", **fields}


def land(pipeline: Pipeline) -> None:
    """Two days: two assets and a sign-in on the first, one asset on the second."""
    pipeline.land(
        START,
        [
            view(START, ipAssetId="asset-1"),
            view(START, ipAssetId="asset-2"),
            view(START, ipAssetId="asset-2", actorId="ana", anonymousId="other device"),
        ],
    )
    pipeline.land(SECOND, [view(SECOND, ipAssetId="asset-1")])


@pytest.fixture
def built(pipeline: Pipeline) -> Pipeline:
    land(pipeline)
    pipeline.run(BOTH_DAYS)
    return pipeline


def arguments(window: Window, command: str = "run") -> list[str]:
    return [command, "--event-time-start", f"{window.start}", "--event-time-end", f"{window.end}"]


NO_WINDOWS = [
    ([], "no window: .* Give both --event-time-start YYYY-MM-DD and --event-time-end"),
    (["--event-time-start", "2026-10-01"], "event-time-end"),
    (["--event-time-end", "2026-10-02"], "event-time-start"),
    (["--event-time-start", "2026-10-01T06:00:00", "--event-time-end", "2026-10-02"], "whole UTC days"),
    (["--event-time-start", "2026-10-01", "--event-time-end", "2026-10-01T06:00:00"], "whole UTC days"),
    (["--event-time-start", "2026-10-02", "--event-time-end", "2026-10-01"], "event-time-start"),
    (["--event-time-start", "2026-10-02", "--event-time-end", "2026-10-02"], "event-time-start"),
]


def test_without_a_window_of_whole_days_nothing_is_built(built: Pipeline) -> None:
    """None, without end, without start, with a time of day at either end, backwards, empty."""
    before = built.contents(BUILT)
    assert before["build.daily_metrics"] != []

    for given, message in NO_WINDOWS:
        with pytest.raises(AssertionError, match=message):
            run_dbt(built.warehouse, ["run", *WINDOWED, *given])

        assert built.contents(BUILT) == before, given


def test_a_rebuilt_window_keeps_no_row_group_or_day_that_is_gone(built: Pipeline) -> None:
    groups = "select metric_date, ip_asset_id, views from build.daily_metrics order by 1, 2"
    assert built.rows(groups) == [(START, "asset-1", 1), (START, "asset-2", 2), (SECOND, "asset-1", 1)]

    built.land(START, [view(START, ipAssetId="asset-2")])
    built.land(SECOND, [])
    built.run(BOTH_DAYS)

    assert built.rows(groups) == [(START, "asset-2", 1)]
    for table in ("int_events_attributed", "int_identity_observations"):
        assert built.rows(f"select event_date, count(*) from intermediate.{table} group by 1") == [(START, 1)]
    assert built.rows("table intermediate.int_identity_resolved") == []


def test_a_day_outside_the_window_keeps_rows_that_raw_no_longer_has(built: Pipeline) -> None:
    """A rebuild replaces the window, not only what has changed: the other day waits, stale, for its own run."""
    built.land(START, [])
    built.land(SECOND, [])
    built.load(BOTH_DAYS)
    built.run(Window.day(SECOND), load=False)

    assert built.rows("select distinct metric_date from build.daily_metrics") == [(START,)]
    assert built.catch_up() == [Window.day(START)]
    assert built.rows("table build.daily_metrics") == []


def changed_project(tmp_path: Path, *changes: tuple[str, str, str]) -> Path:
    """A copy of the dbt project in which, for each (file, old, new), a text is another."""
    copy = tmp_path / "dbt_project"
    shutil.copytree(loaded_version.PROJECT_DIR, copy, ignore=shutil.ignore_patterns("target", "logs"))
    for name, old, new in changes:
        (path,) = copy.rglob(name)
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
    return copy


def test_a_new_column_migrates_by_itself_and_is_empty_until_a_day_is_built_again(
    built: Pipeline, tmp_path: Path
) -> None:
    new_column = "- name: events\n        data_type: bigint"
    changed = changed_project(
        tmp_path,
        ("daily_metrics.sql", "{{ daily_measures() }}", "count(*) as events,\n    {{ daily_measures() }}"),
        ("_core__models.yml", "- name: revenue_cents", f"{new_column}\n      - name: revenue_cents"),
    )

    run_dbt(built.warehouse, [*arguments(Window.day(START)), "--select", "daily_metrics"], project_dir=changed)

    assert built.rows("select metric_date, ip_asset_id, events from build.daily_metrics order by 1, 2") == [
        (START, "asset-1", 1),
        (START, "asset-2", 2),
        (SECOND, "asset-1", None),
    ]


FIRST_OBSERVED = "min(occurred_at) as first_observed_at"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (f",\n    {FIRST_OBSERVED}", "", "no longer there .*first_observed_at"),
        (FIRST_OBSERVED, "cast(min(occurred_at) as text) as first_observed_at", "other types .*first_observed_at"),
    ],
    ids=["removed", "retyped"],
)
def test_any_other_change_of_columns_is_refused_and_names_the_rebuild_job(
    built: Pipeline, tmp_path: Path, old: str, new: str, named: str
) -> None:
    changed = changed_project(tmp_path, ("int_identity_observations.sql", old, new))
    before = built.contents(BUILT)

    with pytest.raises(AssertionError, match=f'(?s){named}.*or the job "rebuild"'):
        run_dbt(built.warehouse, [*arguments(BOTH_DAYS), "--select", "int_identity_observations"], project_dir=changed)

    assert built.contents(BUILT) == before


def test_a_column_that_may_be_null_now_is_still_held_to_its_type(built: Pipeline, tmp_path: Path) -> None:
    counted = "sum(case when is_view then 1 else 0 end) as bigint) as views"
    described = "Count of events whose type the registry counts as a view. Marts of periods call it total_views.\n"
    changed = changed_project(
        tmp_path,
        ("daily_measures.sql", counted, counted.replace("bigint", "integer")),
        ("_core__models.yml", "- name: views\n        data_type: bigint", "- name: views\n        data_type: integer"),
        ("_core__models.yml", f"{described}        constraints: [{{type: not_null}}]\n", described),
    )
    before = built.contents(BUILT)
    with pytest.raises(AssertionError, match=r'(?s)other types .*views from bigint to integer.*or the job "rebuild"'):
        run_dbt(built.warehouse, [*arguments(BOTH_DAYS), "--select", "daily_metrics"], project_dir=changed)
    assert built.contents(BUILT) == before


def test_a_build_that_has_lost_the_warehouse_is_refused(built: Pipeline) -> None:
    """A dbt process may outlive the run that started it; it must not write under the run that came after."""
    before = built.contents(BUILT)
    with built.warehouse.connect(autocommit=True) as lock:
        with writing(lock, "the run before", log=print):
            pass
        with writing(lock, "the run after", log=print):
            with pytest.raises(AssertionError, match="build the run before has lost the warehouse to a later run"):
                run_dbt(built.warehouse, [*arguments(BOTH_DAYS), *WINDOWED], "the run before")
            assert built.contents(BUILT) == before
            run_dbt(built.warehouse, [*arguments(BOTH_DAYS), *WINDOWED], "the run after")


def test_a_build_by_hand_is_refused_while_a_run_is_writing(built: Pipeline) -> None:
    before = built.contents(BUILT)
    refused = pytest.raises(AssertionError, match="another run is writing the warehouse")
    with built.warehouse.connect(autocommit=True) as lock, writing(lock, "a run", log=print), refused:
        run_dbt(built.warehouse, [*arguments(BOTH_DAYS), *WINDOWED])

    assert built.contents(BUILT) == before


def test_a_day_that_was_built_by_hand_is_not_published_until_a_run_has_built_it(built: Pipeline) -> None:
    run_dbt(built.warehouse, [*arguments(Window.day(START)), "--select", "daily_metrics"])

    assert built.rows("select event_date, is_complete from ops.built_days order by 1") == [
        (START, False),
        (SECOND, True),
    ]


def test_the_test_of_a_grain_reads_the_rows_where_no_index_refuses_second_ones(built: Pipeline) -> None:
    grain = [*arguments(BOTH_DAYS, "build"), "--select", "daily_metrics,test_name:one_row_per"]
    assert len(run_dbt(built.warehouse, grain)) == 1

    with built.warehouse.connect(autocommit=True) as connection:
        connection.execute("drop index build.daily_metrics_grain")
        connection.execute("insert into build.daily_metrics select * from build.daily_metrics limit 1")
    with pytest.raises(AssertionError, match=r"one_row_per_daily_metrics.*Got 1 result"):
        run_dbt(built.warehouse, grain)


def test_the_test_of_a_grain_finds_a_key_without_a_value(built: Pipeline) -> None:
    with built.warehouse.connect(autocommit=True) as connection:
        connection.execute("update intermediate.int_identity_observations set anonymous_id = null")
    with pytest.raises(AssertionError, match=r"one_row_per_int_identity_observations.*Got . result"):
        run_dbt(
            built.warehouse,
            [*arguments(BOTH_DAYS, "build"), "--select", "int_identity_observations,test_name:one_row_per"],
        )
