"""The chain as Dagster runs it: what ends green, what stops where, and what a person then reads.

dbt runs in processes of its own here, as it does in life; what needs no Dagster is tested without it, and faster.
"""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from alerting import failed_runs
from alerting.fault import Bounds, Kind
from alerting.open_faults import open_faults
from publishing import dbt_manifest
from publishing.marts import marts_of
from tests.integration.orchestration.one_view import DAY, SECOND, view, views
from tests.support.dagster_runs import DagsterRuns, Run
from tests.support.pipeline import START
from warehouse.window import ONE_DAY, Window

# One step publishes all of them, so a run has all of them or none.
PUBLISHED = [f"{mart.schema}/{mart.name}" for mart in marts_of(dbt_manifest.manifest())]


def assert_stopped(run: Run, runs: DagsterRuns, *, at: str) -> None:
    """The run failed at this step and at once, nothing after it ran, and BI reads what it read before."""
    assert not run.is_success
    assert run.failed_steps == {at}
    order = ["raw_events", "raw_events_checks", "dbt_models", "build_checks", "published_marts"]
    assert run.succeeded_steps.isdisjoint(order[order.index(at) :])
    assert not run.was_tried_again
    assert views(runs) == {START: 1}


@pytest.mark.slow
def test_a_day_goes_from_landing_files_to_marts_and_tells_how_many_rows(runs: DagsterRuns) -> None:
    runs.pipeline.land(START, [view(START, "one"), view(START, "two", ipAssetId="asset-1"), "no json"])
    run = runs.run(DAY)

    assert run.is_success, run.error
    assert views(runs) == {START: 2}
    assert runs.pipeline.rows("select run_id from ops.published_days") == [(run.run_id,)]
    assert set(runs.pipeline.rows("select run_id from marts.data_freshness")) == {(run.run_id,)}
    assert runs.pipeline.rows("select to_regclass('raw.events_20261001_entities') is not null") == [(True,)]
    for asset in ("raw/events", "intermediate/int_events_sessionized", "build/daily_metrics", "marts/daily_metrics"):
        [(partition, metadata)] = run.metadata(asset).items()
        assert (partition, metadata["dagster/partition_row_count"]) == (START.isoformat(), 2), asset
    loaded = run.metadata("raw/events")[START.isoformat()]
    assert (loaded["lines_read"], loaded["accepted"], loaded["rejected"], loaded["files_loaded"]) == (3, 2, 1, 1)
    assert run.metadata("raw/licenses")[START.isoformat()]["dagster/row_count"] == 2

    # Dashboards are looked at as BI reads them. One without rows warns: there is no brand.
    assert run.check("charts_of_platform_dashboard_have_rows").passed
    brands = run.check("charts_of_brand_dashboard_have_rows")
    assert not brands.passed
    assert brands.severity is dg.AssetCheckSeverity.WARN
    assert "no rows" in str(brands.metadata["sample"].value)


@pytest.mark.slow
def test_a_range_cut_into_chunks_is_one_run_and_equals_its_days_one_by_one(
    runs: DagsterRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.defs.assets.dbt_models.BACKFILL_CHUNK_DAYS", 2)

    # The first chunk is of two weeks, so that dbt stops in it for the fits of the attribution models.
    sunday, monday, tuesday = (date(2026, 10, day) for day in (4, 5, 6))
    days = Window(sunday, tuesday + ONE_DAY)

    def land() -> None:
        for number, day in enumerate(days.days(), 1):
            runs.pipeline.land(day, [view(day, f"{day} {count}") for count in range(number)])
        late = [
            view(sunday, "late", actorId="ana", actorType="user"),
            view(sunday, "sold", eventType="license_created"),
        ]
        runs.pipeline.land(tuesday, late, name="late.ndjson")

    land()
    run = runs.run(days)
    assert run.is_success, run.error
    assert run.log.count("building [") == 2
    # The last one is for what reads the days of both.
    assert run.log.count("Running dbt command") == 4
    assert views(runs) == {sunday: 2, monday: 2, tuesday: 3}
    rows = {day: found["dagster/partition_row_count"] for day, found in run.metadata("raw/events").items()}
    assert rows == {sunday.isoformat(): 3, monday.isoformat(): 2, tuesday.isoformat(): 3}
    assert run.metadata("build/daily_metrics").keys() == rows.keys()
    fits = "select week_start, converting_journeys from ops.attribution_fits order by 1"
    assert runs.pipeline.rows(fits) == [(date(2026, 9, 28), 0), (monday, 1)]
    as_a_range = runs.pipeline.contents()

    runs.pipeline.wipe()
    land()
    runs.pipeline.read_application(START)
    for day in days.days():
        runs.pipeline.run(Window.day(day))
    runs.pipeline.catch_up()
    one_by_one = runs.pipeline.contents()
    # The day on which the application was read is today here and another day there.
    for content in (as_a_range, one_by_one):
        for table in [name for name in content if name.startswith("raw.") and "observed_date" in _columns(runs, name)]:
            del content[table]
    assert as_a_range == one_by_one


def _columns(runs: DagsterRuns, table: str) -> set[str]:
    query = "select attname from pg_attribute where attrelid = %s::regclass"
    return {name for (name,) in runs.pipeline.rows(query, table)}


def test_a_failed_check_of_raw_stops_the_run_before_dbt(published: DagsterRuns) -> None:
    published.pipeline.load(DAY)
    published.pipeline.connection.execute("update ops.loads set lines_read = lines_read + 1 where replaced_by is null")
    run = published.run(DAY)

    assert not run.is_success
    assert views(published) == {START: 1}
    assert run.succeeded_steps.isdisjoint({"dbt_models", "build_checks", "published_marts"})
    check = run.check("load_counts_add_up")
    assert (check.passed, check.blocking) == (False, True)
    assert check.metadata["bad_days"].value == START.isoformat()
    # One line for all steps that need what failed, and none of them an error.
    assert "Dependencies for step" not in run.log
    assert len(re.findall(r"^\d+ steps were not run, because they need what a failed step makes$", run.log, re.M)) == 1
    # An alert names the day and the run, and the failure of the run is none of its own.
    connection, now = published.pipeline.connection, datetime(2026, 10, 3, tzinfo=UTC)
    assert not failed_runs.record(
        connection, job="daily_refresh", window=DAY, run_id=run.run_id, failed_at=now, reason="a check"
    )
    [fault] = open_faults(connection, now=now, bounds=Bounds(), project=None)
    assert (fault.kind, fault.day, fault.run_id) == (Kind.DAY_REFUSED, START, run.run_id)


def test_a_failed_check_of_build_stops_the_run_before_publication(published: DagsterRuns) -> None:
    published.pipeline.connection.execute(
        """
        create function ops.add_a_view() returns trigger language plpgsql
        as 'begin new.views := new.views + 1; return new; end';
        create trigger add_a_view before insert on build.daily_metrics
        for each row execute function ops.add_a_view();
        """
    )
    run = published.run(DAY)

    assert not run.is_success
    assert views(published) == {START: 1}
    assert "dbt_models" in run.succeeded_steps
    assert "published_marts" not in run.succeeded_steps
    assert run.check("daily_metrics_match_raw_events").metadata["bad_days"].value == START.isoformat()

    alone = published.run(DAY, assets=PUBLISHED)
    assert_stopped(alone, published, at="published_marts")
    assert "2026-10-01 daily_metrics_match_raw_events has not passed" in alone.error


NO_CHANNEL = ("channel_is_not_null", "intermediate/int_events_sessionized")


def test_a_failed_dbt_test_stops_the_run_and_is_not_tried_again(published: DagsterRuns) -> None:
    published.pipeline.connection.execute(
        """
        create function ops.lose_channel() returns trigger language plpgsql
        as 'begin new.channel := null; return new; end';
        create trigger lose_channel before insert on intermediate.int_events_sessionized
        for each row execute function ops.lose_channel();
        """
    )
    run = published.run(DAY)

    assert_stopped(run, published, at="dbt_models")
    assert "test not_null_int_events_sessionized_channel: Got 2 results" in run.error
    check = run.check(*NO_CHANNEL)
    assert not check.passed
    assert check.metadata["days"].value == "2026-10-01 to 2026-10-01"

    published.pipeline.connection.execute("drop trigger lose_channel on intermediate.int_events_sessionized")
    published.pipeline.land(SECOND, [view(SECOND, "second day")])
    other = published.run(Window.day(SECOND))
    assert other.is_success, other.error
    check = other.check(*NO_CHANNEL)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.metadata["other_failing_days"].value == "2026-10-01"
    assert published.run(DAY).check(*NO_CHANNEL).passed


def test_publishing_days_that_were_never_built_is_refused(runs: DagsterRuns) -> None:
    run = runs.run(DAY, assets=PUBLISHED)
    assert run.failed_steps == {"published_marts"}
    assert "nothing of [2026-10-01, 2026-10-02) was published: 2026-10-01 is not completely built" in run.error
    assert "Run the whole chain for these days" in run.error


def test_verifying_days_loads_nothing_and_tells_what_is_published_otherwise_than_it_is_built(
    published: DagsterRuns,
) -> None:
    published.pipeline.connection.execute("update marts.daily_metrics set views = views + 1")
    run = published.run(DAY, job="verify")
    assert run.is_success, run.error
    check = run.check("rerun_is_idempotent")
    assert not check.passed
    assert check.metadata["bad_days"].value == str(START)
    assert views(published) == {START: 1}


def test_a_truncated_file_stops_the_run_by_name_and_is_not_tried_again(published: DagsterRuns) -> None:
    path = published.pipeline.land(START, [view(START, f"{number}") for number in range(99)], name="cut.ndjson.gz")
    path.write_bytes(path.read_bytes()[:-20])
    run = published.run(DAY)
    assert_stopped(run, published, at="raw_events")
    assert "events/dt=2026-10-01/cut.ndjson.gz" in run.error


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"port": 9}, "cannot be reached as user warehouse_owner"),
        ({"password": "wrong"}, "refuses the password of user warehouse_owner"),
    ],
)
def test_a_warehouse_that_cannot_be_used_is_told_without_its_password(
    runs: DagsterRuns, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], words: str
) -> None:
    warehouse = replace(runs.pipeline.warehouse, **change)
    monkeypatch.setenv("WAREHOUSE_URL", warehouse.url)
    run = runs.run(DAY)
    assert not run.is_success
    assert words in run.error
    assert warehouse.password not in run.error.replace("refuses the password", "")
