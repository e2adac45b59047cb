"""Plans that are carried out by a swap: readers see the old version of all changed marts, then the new one of all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from publishing import change_plan, swap
from publishing.publish import PublicationRefused
from tests.integration.publishing.edited_projects import FEWER, NEW_COLUMN, RETYPED, THRICE, TWICE, Projects, renamed
from tests.integration.publishing.three_days import FIRST, SECOND, THIRD, WINDOW, days_of, events, freshness, stale
from tests.support.pipeline import Pipeline
from tests.support.plans import build_rollups, swap_marts
from warehouse.window import Window
from warehouse.writer_lock import writing

# A number of each of two marts that tells its version: as they are together, in one statement.
VERSIONS = """
    select
        (select sum(visitors)::int from marts.funnel_daily where metric_date = %s),
        (select max(to_jsonb(paths) ->> 'version_number') from marts.attribution_paths as paths),
        (select count(*) > 0 from marts.daily_metrics)
"""


@contextmanager
def reader(pipeline: Pipeline) -> Iterator[set[Any]]:
    """Read the versions of two marts as BI all the time. Yields all that were seen, errors too."""
    seen: set[Any] = set()
    ended = threading.Event()

    def poll() -> None:
        with psycopg.connect(pipeline.warehouse.bi_dsn, autocommit=True) as bi:
            while not ended.wait(0.02):
                try:
                    seen.add(bi.execute(VERSIONS, [FIRST], prepare=False).fetchone())
                except psycopg.Error as error:
                    seen.add(str(error))

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def visitors(pipeline: Pipeline) -> int:
    [(count,)] = pipeline.rows("select sum(visitors)::int from marts.funnel_daily where metric_date = %s", FIRST)
    return int(count)


@pytest.mark.slow
def test_changed_marts_take_the_place_of_the_old_ones_together(two_days: Pipeline, projects: Projects) -> None:
    pipeline = two_days
    before = visitors(pipeline)
    assert before > 0
    projects.load(RETYPED, NEW_COLUMN, renamed)
    assert change_plan.apply(pipeline.connection, pipeline.version)
    assert stale(pipeline) == dict.fromkeys([FIRST, SECOND], ("attribution_paths", "funnel_daily"))
    with reader(pipeline) as seen:
        pipeline.run(Window.day(FIRST), load=False)
        pipeline.land(THIRD, events(THIRD))
        pipeline.run(Window.day(THIRD))
        assert days_of(pipeline, "daily_metrics") == [FIRST, SECOND, THIRD]
        assert freshness(pipeline, "asset_top_referrers", "attribution_paths", "daily_metrics", "funnel_daily") == [
            ("asset_top_referrers", SECOND, "in progress"),
            ("attribution_paths", SECOND, "in progress"),
            ("daily_metrics", THIRD, None),
            ("funnel_daily", SECOND, "in progress"),
        ]
        progress = change_plan.progress(pipeline.connection, pipeline.version)
        assert progress is not None
        assert progress.days_to_build == (SECOND,)
        with pytest.raises(PublicationRefused, match="have become stale"), writer(pipeline, "too early"):
            publish_swap(pipeline, "too early")
        pipeline.catch_up()
        with writer(pipeline, "dies"):
            build_rollups(pipeline, "dies")
        assert seen == {(before, None, True)}
        assert pipeline.rows("select to_regclass('marts.asset_referrers')") == [(None,)], (
            "a new mart appears when whole"
        )

        pipeline.data_tests = True
        published = swap_marts(pipeline)
        pipeline.data_tests = False
        assert (visitors(pipeline), stale(pipeline)) == (2 * before, {})
    assert seen <= {(before, None, True), (2 * before, "2", True)}
    assert published.dropped == ["marts.asset_top_referrers"]
    with psycopg.connect(pipeline.warehouse.bi_dsn) as bi:
        assert bi.execute("select pg_typeof(visitors)::text from marts.funnel_daily limit 1").fetchone() == ("numeric",)
        assert bi.execute("select count(*) > 0 from marts.asset_referrers").fetchone() == (True,)
        assert bi.execute("select obj_description('marts.asset_referrers'::regclass) is not null").fetchone() == (True,)
    assert freshness(pipeline, "asset_top_referrers", "asset_referrers", "funnel_daily") == [
        ("asset_referrers", THIRD, None),
        ("funnel_daily", THIRD, None),
    ]
    assert change_plan.progress(pipeline.connection, pipeline.version) is None

    incremental = pipeline.contents()
    rebuild(pipeline)
    assert pipeline.contents() == incremental


@pytest.mark.slow
def test_a_second_change_replaces_a_plan_and_a_reverted_one_ends_as_before(
    two_days: Pipeline, projects: Projects
) -> None:
    pipeline = two_days
    contents, before = pipeline.contents(["marts", "rollups"]), visitors(pipeline)
    projects.load(TWICE)
    change_plan.apply(pipeline.connection, pipeline.version)
    pipeline.run(Window.day(FIRST), load=False)

    projects.load(THRICE, FEWER)
    assert stale(pipeline) == {}, "other versions than those of the plan wait again"
    progress = change_plan.progress(pipeline.connection, pipeline.version)
    assert progress is not None
    assert progress.other_code == ("asset_top_referrers", "funnel_daily")
    assert not progress.is_ready
    change_plan.apply(pipeline.connection, pipeline.version)
    assert stale(pipeline) == dict.fromkeys([FIRST, SECOND], ("funnel_daily",))
    pipeline.catch_up()
    assert visitors(pipeline) == before
    swap_marts(pipeline)
    assert visitors(pipeline) == 3 * before

    projects.load()
    change_plan.apply(pipeline.connection, pipeline.version)
    pipeline.catch_up()
    swap_marts(pipeline)
    assert pipeline.contents(["marts", "rollups"]) == contents


@contextmanager
def writer(pipeline: Pipeline, run_id: str) -> Iterator[None]:
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, run_id, log=print):
        yield


def publish_swap(pipeline: Pipeline, run_id: str) -> None:
    swap.publish(pipeline.connection, manifest=pipeline.manifest, loaded=pipeline.version, run_id=run_id)


def rebuild(pipeline: Pipeline) -> None:
    """Build all days at once in a warehouse that has published nothing."""
    pipeline.connection.execute(
        "truncate ops.published_days, ops.built_days, ops.stale_day_marks, ops.applied_models, ops.attribution_fits"
    )
    pipeline.run(WINDOW, load=False)
    pipeline.catch_up()
