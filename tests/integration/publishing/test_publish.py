"""What BI reads has passed its gates: the ways in which a publication is refused, and what it leaves as it was."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest

from orchestration.dbt import cli_resource
from publishing import dbt_manifest, gates, stale_days
from publishing.builds import IncompleteRebuild, clear
from publishing.marts import Column, Mart, marts_of
from publishing.publish import PublicationRefused, publish
from tests.support.pipeline import FAR, START, GateClosed, Pipeline
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import WriterBusy, writing

pytestmark = pytest.mark.models("daily_metrics", "daily_metrics_by_channel")

DAY = Window.day(START)
NEXT = Window.day(START + ONE_DAY)
BOTH = Window(DAY.start, NEXT.end)


def view(day: date, key: str, asset: str = "asset-0") -> dict[str, Any]:
    return {
        "eventType": "asset_viewed",
        "occurredAt": f"{day}T10:00:00Z",
        "idempotencyKey": key,
        "anonymousId": "device-0",
        "ipAssetId": asset,
    }


def views_in_marts(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    return pipeline.rows("select metric_date, views from marts.daily_metrics order by 1")


@pytest.fixture
def published(pipeline: Pipeline) -> Pipeline:
    """One day with one view, published."""
    pipeline.land(START, [view(START, "first")])
    pipeline.run(DAY)
    assert views_in_marts(pipeline) == [(START, 1)]
    return pipeline


def publish_as_a_run(pipeline: Pipeline, window: Window, *, marts: Sequence[Mart] | None = None) -> None:
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, "publisher", log=print):
        publish(
            pipeline.connection,
            marts=marts_of(dbt_manifest.manifest()) if marts is None else marts,
            window=window,
            run_id="publisher",
            raw_checks=pipeline.applicable(gates.RAW_GATE),
            build_checks=pipeline.applicable(gates.BUILD_GATE),
        )


def test_a_closed_raw_gate_leaves_marts_alone(published: Pipeline) -> None:
    published.land(START, [view(START, "first"), view(START, "second")])
    published.load(DAY)
    published.connection.execute("update ops.loads set lines_read = lines_read + 1 where replaced_by is null")

    with pytest.raises(GateClosed, match="load_counts_add_up"):
        published.run(DAY)

    assert views_in_marts(published) == [(START, 1)]
    assert published.rows("select count(*) from ops.stale_day_marks") == [(1,)], (
        "the day stays stale until it is published"
    )


def test_a_closed_build_gate_leaves_marts_alone(published: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    published.land(START, [view(START, "first"), view(START, "second")])
    build = published.build

    def build_and_lose_a_view(window: Window, build_id: str) -> None:
        build(window, build_id)
        published.connection.execute("update build.daily_metrics set views = views - 1")

    with monkeypatch.context() as patched:
        patched.setattr(published, "build", build_and_lose_a_view)
        with pytest.raises(GateClosed, match="daily_metrics_match_raw_events"):
            published.run(DAY)
    assert views_in_marts(published) == [(START, 1)]

    published.run(DAY)
    assert views_in_marts(published) == [(START, 2)]


def test_a_failed_dbt_test_leaves_marts_alone(published: Pipeline) -> None:
    published.land(START, [view(START, "first"), view(START, "second")])
    published.connection.execute(
        """
        create function ops.lose_channel() returns trigger language plpgsql
        as 'begin new.channel := null; return new; end';
        create trigger lose_channel before insert on intermediate.int_events_sessionized
        for each row execute function ops.lose_channel();
        """
    )
    with pytest.raises(AssertionError, match="not_null_int_events_sessionized_channel"):
        published.run(DAY)
    assert views_in_marts(published) == [(START, 1)]
    with pytest.raises(PublicationRefused, match="2026-10-01 is not completely built"):
        publish_as_a_run(published, DAY)


def test_a_day_that_was_never_built_is_refused_by_name(published: Pipeline) -> None:
    with pytest.raises(PublicationRefused, match="2026-10-02 is not completely built"):
        publish_as_a_run(published, BOTH)
    assert views_in_marts(published) == [(START, 1)]


def test_a_window_whose_weeks_and_periods_have_been_built_for_another_one_since_is_refused(published: Pipeline) -> None:
    """Schema build still has the day, but the week in it was made from what was published without it."""
    with published.warehouse.connect(autocommit=True) as lock, writing(lock, "unpublished", log=print):
        published.build(DAY, "unpublished")
        published.run_checks(DAY, "unpublished", gates.BUILD_CHECKS)
    published.run(NEXT)
    before = published.contents(["marts", "published"])
    with pytest.raises(PublicationRefused, match="belong to another build"):
        publish_as_a_run(published, DAY)
    assert published.contents(["marts", "published"]) == before
    (stale,) = stale_days.stale_days(published.connection, model_version=dbt_manifest.model_version(), before=FAR)
    assert (stale.event_date, stale.reasons) == (START, ("built_and_not_published",))


def test_a_build_whose_checks_were_not_recorded_is_refused(published: Pipeline) -> None:
    published.connection.execute("delete from ops.check_results where check_name = 'channels_add_up_to_daily_metrics'")
    with pytest.raises(PublicationRefused, match="channels_add_up_to_daily_metrics has not passed on build test-"):
        publish_as_a_run(published, DAY)


def test_a_verdict_on_raw_does_not_count_for_what_was_loaded_after_it(published: Pipeline) -> None:
    published.land(START, [view(START, "first"), view(START, "second")])
    published.load(DAY)
    with published.warehouse.connect(autocommit=True) as lock, writing(lock, "no-raw-gate", log=print):
        published.build(DAY, "no-raw-gate")
        published.run_checks(DAY, "no-raw-gate", gates.BUILD_CHECKS)
    with pytest.raises(PublicationRefused, match="load_counts_add_up has not passed on what build no-raw-gate read"):
        publish_as_a_run(published, DAY)


def test_a_verdict_on_raw_counts_for_later_builds_of_the_same_raw(published: Pipeline) -> None:
    with published.warehouse.connect(autocommit=True) as lock, writing(lock, "same-raw", log=print):
        published.build(DAY, "same-raw")
        published.run_checks(DAY, "same-raw", gates.BUILD_CHECKS)
    publish_as_a_run(published, DAY)
    assert published.rows("select build_id, run_id from ops.published_days") == [("same-raw", "publisher")]


def test_what_arrives_while_a_day_is_built_keeps_the_day_stale(
    published: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = published.build

    def build_and_load(window: Window, build_id: str) -> None:
        build(window, build_id)
        published.land(START, [view(START, "third")], "late.ndjson")
        published.load(DAY)

    published.land(START, [view(START, "first"), view(START, "second")])
    with monkeypatch.context() as patched:
        patched.setattr(published, "build", build_and_load)
        # The gate sees that raw has moved on; had it not, the day would have stayed stale.
        with pytest.raises(GateClosed, match="daily_metrics_match_raw_events"):
            published.run(DAY)
    stale = stale_days.stale_days(published.connection, model_version=dbt_manifest.model_version(), before=FAR)
    assert [day.event_date for day in stale] == [START]
    published.catch_up()
    assert views_in_marts(published) == [(START, 3)]


def test_days_published_from_other_models_are_stale(published: Pipeline) -> None:
    published.connection.execute("update ops.published_days set model_version = 'older'")
    (stale,) = stale_days.stale_days(published.connection, model_version=dbt_manifest.model_version(), before=FAR)
    assert (stale.event_date, stale.reasons) == (START, ("models_changed",))
    published.catch_up()
    assert stale_days.stale_days(published.connection, model_version=dbt_manifest.model_version(), before=FAR) == []


def test_stale_days_become_as_few_runs_as_they_have_gaps() -> None:
    days = [START + offset * ONE_DAY for offset in (4, 0, 1, 1, 5, 9)]
    assert stale_days.windows_of(days) == [
        Window(START, START + 2 * ONE_DAY),
        Window(START + 4 * ONE_DAY, START + 6 * ONE_DAY),
        Window.day(START + 9 * ONE_DAY),
    ]


def test_the_same_group_is_refused_twice_also_where_its_keys_are_null(published: Pipeline) -> None:
    for schema_name in ("build", "marts"):
        with pytest.raises(psycopg.errors.UniqueViolation):
            published.connection.execute(f"insert into {schema_name}.daily_metrics select * from marts.daily_metrics")


def changed(marts: Sequence[Mart], *columns: Column, without: str = "") -> list[Mart]:
    """The marts, daily_metrics with these further columns and without one of its own."""
    return [
        replace(mart, columns=(*(column for column in mart.columns if column.name != without), *columns))
        if mart.name == "daily_metrics"
        else mart
        for mart in marts
    ]


def test_a_new_column_migrates_by_itself_and_keeps_what_bi_may_do(published: Pipeline) -> None:
    published.connection.execute("alter table build.daily_metrics add column shares bigint default 7")
    table = "select oid from pg_class where oid = 'marts.daily_metrics'::regclass"
    before = published.rows(table)
    shares = Column("shares", "bigint", is_nullable=True, description="Count of shares.")

    publish_as_a_run(published, DAY, marts=changed(marts_of(dbt_manifest.manifest()), shares))

    assert published.rows("select views, shares from marts.daily_metrics") == [(1, 7)]
    assert published.rows(table) == before, "the table is the same, with its grants and policies"
    with psycopg.connect(published.warehouse.bi_dsn) as bi:
        assert bi.execute("select shares from marts.daily_metrics").fetchall() == [(7,)]


def test_a_column_that_is_gone_needs_the_rebuild_job(published: Pipeline) -> None:
    published.land(START + ONE_DAY, [view(START + ONE_DAY, "next")])
    published.run(NEXT)
    fewer = changed(marts_of(dbt_manifest.manifest()), without="clicks")
    with pytest.raises(PublicationRefused, match=r"marts\.daily_metrics .*\['clicks'\].*job \"rebuild\""):
        publish_as_a_run(published, NEXT, marts=fewer)
    assert published.rows("select clicks from marts.daily_metrics") == [(0,), (0,)]

    published.run(BOTH)
    publish_as_a_run(published, BOTH, marts=fewer)
    assert views_in_marts(published) == [(START, 1), (START + ONE_DAY, 1)]
    with pytest.raises(psycopg.errors.UndefinedColumn):
        published.connection.execute("select clicks from marts.daily_metrics")


def test_a_column_of_another_type_is_changed_by_a_rebuild(published: Pipeline) -> None:
    published.connection.execute("alter table build.daily_metrics alter column clicks type numeric(20,0)")
    retyped = changed(
        marts_of(dbt_manifest.manifest()),
        Column("clicks", "numeric(20,0)", is_nullable=False, description=""),
        without="clicks",
    )
    publish_as_a_run(published, DAY, marts=retyped)
    assert published.rows("select pg_typeof(clicks)::text from marts.daily_metrics") == [("numeric",)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        published.connection.execute("insert into marts.daily_metrics select * from marts.daily_metrics")


def test_a_rebuild_of_less_than_all_published_days_drops_nothing(published: Pipeline) -> None:
    tables = dbt_manifest.windowed_tables(dbt_manifest.manifest())
    with published.warehouse.connect(autocommit=True) as lock, writing(lock, "rebuild", log=print):
        with pytest.raises(IncompleteRebuild, match="2026-10-01 to 2026-10-01"):
            clear(published.connection, NEXT, tables, build_id="rebuild")
        assert published.rows("select views from build.daily_metrics") == [(1,)]
        clear(published.connection, BOTH, tables, build_id="rebuild")
    published.is_built = False
    with pytest.raises(psycopg.errors.UndefinedTable):
        published.connection.execute("select views from build.daily_metrics")
    assert views_in_marts(published) == [(START, 1)], "BI reads on"


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


def test_runs_are_few_and_keep_refused_days_apart() -> None:
    days = [START + offset * ONE_DAY for offset in range(6)]
    assert stale_days.plan_windows(days, apart={days[2]}, at_most=2) == [
        Window(days[0], days[2]),
        Window.day(days[2]),
        Window(days[3], days[5]),
        Window.day(days[5]),
    ]


def test_a_day_is_refused_until_a_later_verdict_passes_it(published: Pipeline) -> None:
    assert stale_days.refused_days(published.connection) == set()
    published.connection.execute("update ops.loads set lines_read = lines_read + 1")
    with pytest.raises(GateClosed):
        published.run(DAY)
    assert stale_days.refused_days(published.connection) == {START}
    published.connection.execute("update ops.loads set lines_read = lines_read - 1")
    published.run(DAY)
    assert stale_days.refused_days(published.connection) == set()


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
