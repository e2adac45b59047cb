"""Runs that lost the warehouse, and what follows rebuilds that died."""

from datetime import date
from typing import Any

import psycopg
import pytest

from orchestration.dbt import cli_resource
from publishing import dbt_manifest
from publishing.builds import clear
from publishing.publish import PublicationRefused
from tests.integration.publishing.one_view import BOTH, DAY, NEXT, publish_as_a_run, view
from tests.support.pipeline import START, Pipeline
from warehouse.writer_lock import WriterBusy, writing


def test_a_run_that_lost_the_warehouse_publishes_nothing(published: Pipeline) -> None:
    with published.warehouse.connect(autocommit=True) as lock, writing(lock, "later", log=print):
        with pytest.raises(WriterBusy, match="run earlier has lost the warehouse"):
            published.publish(DAY, "earlier")
        with pytest.raises(AssertionError, match="has lost the warehouse to a later run"):
            published.dbt(cli_resource.build_arguments(DAY), "earlier")


def test_models_built_by_hand_wait_for_no_run_and_are_not_published(published: Pipeline) -> None:
    published.dbt([*cli_resource.build_arguments(DAY), "--select", "daily_metrics"])
    with pytest.raises(PublicationRefused, match="2026-10-01 is not completely built"):
        publish_as_a_run(published, DAY)
    with (
        published.warehouse.connect(autocommit=True) as lock,
        writing(lock, "a-run", log=print),
        pytest.raises(AssertionError, match="another run is writing the warehouse"),
    ):
        published.dbt([*cli_resource.build_arguments(DAY), "--select", "daily_metrics"])


def signed_in(day: date, actor: str | None) -> dict[str, Any]:
    return view(day, f"{day} {actor}") | {"actorId": actor or ""}


def visitors(pipeline: Pipeline, day: date) -> set[str]:
    query = "select visitor_id from intermediate.int_events_attributed where event_date = %s"
    return {visitor for (visitor,) in pipeline.rows(query, day)}


def test_a_day_built_before_older_days_follow_a_change_of_the_models_is_made_good(pipeline: Pipeline) -> None:
    pipeline.land(START, [signed_in(START, "user-1")])
    pipeline.run(DAY)
    # The older day was built by models that knew no links.
    pipeline.connection.execute("update intermediate.int_identity_observations set actor_id = null")
    pipeline.connection.execute("update ops.built_days set model_version = 'older'")
    pipeline.connection.execute("update ops.published_days set model_version = 'older'")

    pipeline.land(NEXT.start, [signed_in(NEXT.start, None)])
    pipeline.run(NEXT)

    pipeline.catch_up()
    assert visitors(pipeline, NEXT.start) == {"actor:user-1"}


@pytest.mark.models
def test_a_link_that_comes_after_a_rebuild_died_reaches_every_published_day(pipeline: Pipeline) -> None:
    for day in BOTH.days():
        pipeline.land(day, [signed_in(day, None)])
    pipeline.run(BOTH)
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, "dies", log=print):
        clear(pipeline.connection, BOTH, dbt_manifest.windowed_tables(dbt_manifest.manifest()), build_id="dies")
    pipeline.is_built = False
    pipeline.land(START, [signed_in(START, "user-1")], "late.ndjson")
    pipeline.load(DAY)

    pipeline.catch_up()

    assert visitors(pipeline, NEXT.start) == {"actor:user-1"}


def test_a_load_of_a_run_that_lost_the_warehouse_is_refused_and_one_that_has_it_is_waited_for(
    pipeline: Pipeline,
) -> None:
    pipeline.land(START, [view(START, "first")])
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, "later", log=print):
        pipeline.connection.execute("select set_config('warehouse.build_id', 'earlier', false)")
        with pytest.raises(psycopg.errors.RaiseException, match="run earlier has lost the warehouse"):
            pipeline.load(DAY)
        assert pipeline.rows("select count(*) from raw.events") == [(0,)]
        pipeline.connection.execute("select set_config('warehouse.build_id', 'later', false)")
        with pipeline.connection.transaction():
            pipeline.connection.execute("select ops.assert_writer()")
            lock.execute("set lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                lock.execute("update ops.writer set build_id = 'latest'")
        pipeline.load(DAY)
    assert pipeline.rows("select count(*) from raw.events") == [(1,)]


def test_bots_link_nobody(pipeline: Pipeline) -> None:
    crawler = {"context": {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}}
    pipeline.land(START, [signed_in(START, "user-1") | crawler, signed_in(START, None)])
    pipeline.run(DAY)
    assert "anonymous:device-0" in visitors(pipeline, START)
