"""Runs of one mart or model alone, as the button of its page starts them; and the days that they leave behind."""

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster._core.test_utils import instance_for_test

from orchestration.run_windows import run_tags
from tests.integration.orchestration.one_view import DAY, view, views
from tests.support.code_location import definitions
from tests.support.dagster_runs import DagsterRuns
from tests.support.pipeline import START
from warehouse.locks import AdvisoryLock
from warehouse.window import ONE_DAY, Window

GATE_FAILS = """
    create function ops.add_a_view() returns trigger language plpgsql
    as 'begin new.views := new.views + 1; return new; end';
    create trigger add_a_view before insert on build.daily_metrics
    for each row execute function ops.add_a_view();
"""

# While a mart is built: how many runs hold the lock that shows that they live.
COUNT_LIVING_RUNS = f"""
    create table ops.living_runs (living bigint);
    create function ops.count_living_runs() returns trigger language plpgsql as $$ begin
        insert into ops.living_runs
        select count(*) from pg_locks where locktype = 'advisory' and classid = {AdvisoryLock.RUN} and objsubid = 2
            and database = (select oid from pg_database where datname = current_database());
        return null;
    end $$;
    create trigger count_living_runs after insert on build.daily_metrics
    for each statement execute function ops.count_living_runs();
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "asset",
    [
        "marts/daily_metrics",
        pytest.param("intermediate/int_sessions", marks=pytest.mark.long),
        pytest.param("intermediate/attribution_channel_values", marks=pytest.mark.long),
    ],
)
def test_an_asset_alone_takes_its_days_through_the_whole_chain(published: DagsterRuns, asset: str) -> None:
    published.pipeline.connection.execute(COUNT_LIVING_RUNS)
    run = published.run(DAY, assets=[asset])

    assert run.is_success, run.error
    # Monitoring takes a run without its lock for dead, and starts it again.
    assert published.pipeline.rows("select distinct living from ops.living_runs") == [(1,)]
    assert f"{asset}: days are built, checked and published as a whole" in run.log
    assert views(published) == {START: 2}
    assert published.pipeline.rows("select * from ops.stale_days") == []
    [(made_by,)] = published.pipeline.rows("select run_id from ops.published_days")
    assert [found["made_by_run"] for found in run.metadata(asset).values()] == [made_by]
    assert made_by != run.run_id


def test_an_asset_alone_whose_day_is_refused_says_which_run_tells_why(published: DagsterRuns) -> None:
    published.pipeline.connection.execute(GATE_FAILS)
    run = published.run(DAY, assets=["marts/daily_metrics"])

    assert run.failed_steps == {"published_marts"}
    assert not run.was_tried_again
    assert "job daily_refresh has failed for [2026-10-01, 2026-10-02): its run " in run.error
    assert views(published) == {START: 1}


def test_a_mart_says_of_days_of_other_runs_that_they_are_not_current(published: DagsterRuns) -> None:
    """A later day that passes does not hide an earlier one that is stale or missing."""
    later = START + 2 * ONE_DAY
    published.pipeline.load(DAY)
    published.pipeline.land(later, [view(later, "third")])
    run = published.run(Window.day(later))

    assert run.is_success, run.error
    assert views(published) == {START: 1, later: 1}
    check = run.check("days_are_current", "marts/daily_metrics")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.metadata["days_stale"].value == 1
    table = str(check.metadata["days"].value)
    assert "| 2026-10-01 | stale | events_changed |" in table
    assert "| 2026-10-02 | missing | nothing_loaded |" in table
    assert not any(line.startswith(f"| {later} ") for line in table.splitlines())


@pytest.fixture
def instance(published: DagsterRuns) -> Iterator[dg.DagsterInstance]:
    """Dagster with the storage of the product."""
    storage = {
        "module": "orchestration.instance.pooled_storage",
        "class": "PooledStorage",
        "config": {"postgres_url": published.pipeline.warehouse.dagster_storage_url},
    }
    with instance_for_test(overrides={"storage": {"custom": storage}}) as found:
        yield found


def failed_days(instance: dg.DagsterInstance, asset: str) -> set[str]:
    """The partitions that the page of an asset shows as failed."""
    definition = definitions().resolve_asset_graph().get(key := dg.AssetKey.from_user_string(asset)).partitions_def
    assert definition
    status = get_and_update_asset_status_cache_value(instance, key, definition)
    assert status
    return set(status.deserialize_failed_partition_subsets(definition).get_partition_keys())


def refresh(instance: dg.DagsterInstance) -> bool:
    job = definitions().resolve_job_def("daily_refresh")
    return job.execute_in_process(instance=instance, tags=run_tags(DAY), raise_on_error=False).success


@pytest.mark.slow
def test_a_run_that_fails_marks_no_good_day_of_a_mart_as_failed(
    published: DagsterRuns, instance: dg.DagsterInstance
) -> None:
    assert refresh(instance)
    cut = published.pipeline.land(START, [view(START, f"{number}") for number in range(99)], name="cut.ndjson.gz")
    whole = cut.read_bytes()
    cut.write_bytes(whole[:-20])
    assert not refresh(instance)
    # Nothing was loaded: readers see the day whole and current.
    assert failed_days(instance, "raw/events") == {str(START)}
    assert failed_days(instance, "marts/daily_metrics") == set()
    assert failed_days(instance, "build/daily_metrics") == set()

    cut.write_bytes(whole)
    published.pipeline.connection.execute(GATE_FAILS)
    assert not refresh(instance)
    # Events were loaded and are not published.
    assert failed_days(instance, "marts/daily_metrics") == {str(START)}

    published.pipeline.connection.execute("drop trigger add_a_view on build.daily_metrics")
    assert refresh(instance)
    assert failed_days(instance, "marts/daily_metrics") == set()
