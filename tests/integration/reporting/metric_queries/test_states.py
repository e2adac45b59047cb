"""Answers while the warehouse changes: sealed days, a publication that commits meanwhile, marts that wait."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from publishing import mart_tables
from publishing.dbt_manifest import manifest
from publishing.marts import marts_of
from reporting.answers import Answer
from reporting.metrics import Metrics
from tests.integration.publishing.sealed_history import apply
from tests.support.pipeline import START, Pipeline
from tests.support.random_quarter import LAST, QUARTER
from warehouse.connection import Warehouse
from warehouse.window import ONE_DAY, Window

pytestmark = pytest.mark.models

# A Tuesday: visitors are kept from the Monday on.
FIRST_UNSEALED = date(2026, 12, 1)
VISITORS_FROM = date(2026, 11, 30)
GONE = f"unique_visitors is null where it needs visitors of days before {VISITORS_FROM}, which are sealed"


def test_a_range_into_sealed_days_says_that_its_visitors_are_gone(quarter: Warehouse, tmp_path: Path) -> None:
    with Metrics(quarter.bi_dsn) as metrics:
        spans = [(START, QUARTER.end), (VISITORS_FROM, QUARTER.end), (START, VISITORS_FROM)]
        before = [metrics.asset_metrics("asset-0", start, end) for start, end in spans]
        periods = [metrics.asset_metrics("asset-0", period) for period in ("7d", "30d", "all")]
        pipeline = Pipeline(quarter, tmp_path)
        apply(pipeline, FIRST_UNSEALED)
        pipeline.close()
        after = [metrics.asset_metrics("asset-0", start, end) for start, end in spans]
        for was, now in zip(before, after, strict=True):
            is_gone = was.start != VISITORS_FROM
            unknown = {"unique_visitors": None, "avg_engagement_time": None} if is_gone else {}
            assert now.totals == was.totals.model_copy(update=unknown)
            assert now.top_referrers == was.top_referrers
            assert [note.startswith(GONE) for note in now.notes] == [True] * is_gone
            for day, now_day in zip(was.by_day, now.by_day, strict=True):
                is_day_gone = day.metric_date < VISITORS_FROM and day.unique_visitors
                assert now_day == day.model_copy(update={"unique_visitors": None} if is_day_gone else {})
            assert now.to_frame("by_day")["unique_visitors"].isna().any() == is_gone
        for was in periods:
            assert was.period
            now = metrics.asset_metrics("asset-0", was.period)
            assert now.totals == was.totals, "publication has carried the number on"
            assert [note.startswith(GONE) for note in now.notes] == [True] * (was.period == "all")
    with Metrics(quarter.dsn("creator_portal")) as portal:
        own = portal.for_creator("creator-1").asset_metrics("asset-0", "all")
        assert own.totals.unique_visitors is None
        assert own.totals.total_views == periods[-1].totals.total_views


# By question: the table that it reads last, and what a publication changes.
DOUBLED = """
    update marts.{0} set {1} = 2 * {1} + 1
"""
QUESTIONS: list[tuple[Callable[[Metrics], Answer], str, list[tuple[str, str]]]] = [
    (
        lambda metrics: metrics.asset_metrics("asset-0", START, QUARTER.end),
        "rollups.referrer_days",
        [("daily_metrics", "views")],
    ),
    (
        lambda metrics: metrics.asset_metrics("asset-0", "30d"),
        "marts.asset_top_referrers",
        [("daily_metrics", "views"), ("asset_metrics", "total_views"), ("asset_top_referrers", "views")],
    ),
    (
        lambda metrics: metrics.creator_dashboard("creator-0", "30d"),
        "marts.creator_traffic_sources",
        [("creator_dashboard", "total_views"), ("creator_traffic_sources", "visits"), ("creator_top_assets", "views")],
    ),
    (
        lambda metrics: metrics.brand_campaigns("brand-0", "30d"),
        "marts.brand_campaign_assets",
        [("brand_campaign_metrics", "total_clicks"), ("brand_campaign_assets", "views")],
    ),
]


def test_an_answer_is_of_one_state(quarter: Warehouse) -> None:
    """A publication commits between the first and the last table that a question reads."""
    with Metrics(quarter.bi_dsn, timeout=60) as metrics, ThreadPoolExecutor(1) as executor:
        for ask, last_table, changes in QUESTIONS:
            before = ask(metrics)
            with quarter.connect() as publication, quarter.connect(autocommit=True) as watcher:
                publication.execute(f"lock table {last_table} in access exclusive mode")  # type: ignore[arg-type]
                answer = executor.submit(ask, metrics)
                wait_for_the_lock(watcher, last_table)
                for table, column in changes:
                    publication.execute(DOUBLED.format(table, column))  # type: ignore[arg-type]
                publication.commit()
            assert answer.result() == before
            assert ask(metrics) != before


def wait_for_the_lock(watcher: psycopg.Connection, table: str) -> None:
    """Return when a session waits for the table."""
    waiting = "select count(*) from pg_locks where relation = %s::regclass and not granted"
    while not (watcher.execute(waiting, [table]).fetchone() or (0,))[0]:
        watcher.execute("select pg_sleep(0.01)")


def test_a_period_ends_with_the_last_day_of_its_mart(quarter: Warehouse) -> None:
    """As where a change of one mart waits for a plan: the others have got two days more since."""
    with quarter.connect(autocommit=True) as owner:
        owner.execute("update marts.periods set metric_date = metric_date + 2, last_date = last_date + 2,"
                      " first_date = first_date + 2")  # fmt: skip
    with Metrics(quarter.bi_dsn) as metrics:
        answers: list[Answer] = [
            metrics.creator_dashboard("creator-0", "7d"),
            metrics.platform_metrics("7d"),
            metrics.brand_campaigns("brand-0", "7d"),
            metrics.asset_metrics("asset-0", "7d"),
        ]
    note = f"the period ends with {LAST} instead of {LAST + timedelta(days=2)}, since a change of the numbers waits"
    for answer in answers:
        shown = answer.model_dump()
        assert (shown["start"], shown["end"]) == (LAST - timedelta(days=6), QUARTER.end)
        assert [text.startswith(note) for text in shown["notes"]] == [True]


def test_names_of_functions_and_marts_stay_apart(quarter: Warehouse) -> None:
    """A mart and a function may have one name, also where Postgres reads a call as a cast or a column."""
    with psycopg.connect(quarter.bi_dsn) as bi:
        for query, expected in (
            ("select count(*) from asset_metrics where ip_asset_id = 'asset-0'", 6),
            ("select count(asset_metrics) from asset_metrics where ip_asset_id = 'asset-0'", 6),
            ("select count((creator_dashboard).total_views) from creator_dashboard where creator_id = 'creator-0'", 6),
            ("select jsonb_typeof(platform_metrics('7d'))", "object"),
            ("select jsonb_typeof(platform_metrics(period)) from periods where period = '7d'", "object"),
            ("select count(*) from platform_metrics as rows, platform_metrics(rows.period)", 6),
            ("select count(*) from platform_metrics_totals('7d')", 1),
        ):
            assert bi.execute(query).fetchone() == (expected,), query  # type: ignore[arg-type]


def test_the_index_by_which_visitors_of_an_asset_are_found_is_made_by_the_next_publication(quarter: Warehouse) -> None:
    """In a warehouse of an older version the columns of the grain are in another order."""
    columns = "select array_agg(attname::text order by attnum) from pg_attribute where attrelid = %s::regclass"
    with quarter.connect(autocommit=True) as owner:
        owner.execute(
            """
            drop index rollups.visitor_asset_days_grain;
            create unique index visitor_asset_days_grain on rollups.visitor_asset_days
                (metric_date, project_id, ip_asset_id, license_id, visitor_id) nulls not distinct;
            """
        )
        with owner.transaction(), owner.cursor() as cursor:
            mart_tables.migrate_tables(cursor, marts_of(manifest()), Window(LAST, LAST + ONE_DAY))
        found = owner.execute(columns, ["rollups.visitor_asset_days_grain"]).fetchone()
    assert found == (["metric_date", "ip_asset_id", "project_id", "license_id", "visitor_id"],)
