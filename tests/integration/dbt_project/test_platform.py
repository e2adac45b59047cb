"""The platform's numbers and the revenue timelines against a count in Python, over random users, licenses and events,
in whatever order days are published and whatever the product deletes.
"""

import random
from collections.abc import Iterable
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ingestion.application.source import connect_application
from tests.support import application_tables
from tests.support.longer_periods import assert_longer_periods_have_no_less
from tests.support.pipeline import Pipeline
from tests.support.random_platform import (
    ADJUSTMENTS,
    COLUMNS,
    DAY,
    DAYS,
    Event,
    Expected,
    random_events,
    random_product,
    write,
)
from warehouse.window import Window

pytestmark = pytest.mark.models(
    "platform_metrics", "creator_daily_metrics", "creator_dashboard", "daily_metrics_by_channel"
)


def assert_shown(pipeline: Pipeline, expected: Expected) -> None:
    def shown(query: str) -> set[tuple[Any, ...]]:
        rows = pipeline.rows(query)
        assert len(rows) == len(set(rows))
        return set(rows)

    columns = ", ".join(COLUMNS)
    assert shown(f"select metric_date, period, {columns} from marts.platform_metrics") == expected.platform()
    timeline = "select period, metric_date, revenue_cents from marts.platform_revenue_timeline"
    assert shown(timeline) == expected.timeline()
    timelines = "select period, metric_date, creator_id, revenue_cents from marts.creator_revenue_timeline"
    assert shown(timelines) == expected.timelines()
    assert_longer_periods_have_no_less(
        pipeline, "platform_metrics", "platform_revenue_timeline", "creator_dashboard", "creator_revenue_timeline"
    )


def land(pipeline: Pipeline, events: list[Event], days: Iterable[date]) -> None:
    for day in days:
        pipeline.land(day, [event.landed() for event in events if event.day == day])


def test_the_platform_is_counted_whatever_is_published_when(pipeline: Pipeline) -> None:
    chance = random.Random(11)  # noqa: S311
    product, events = random_product(chance), random_events(chance)
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        application.execute(application_tables.DDL + ";" + ADJUSTMENTS)
    write(pipeline, product)
    land(pipeline, events, DAY[:DAYS])
    pipeline.load(Window(DAY[0], DAY[DAYS]))

    # A range with a day missing in it, the missing one, and then the last.
    published: set[date] = set()
    for window in (Window(DAY[0], DAY[58]), Window(DAY[59], DAY[DAYS - 1]), Window.day(DAY[58]), Window.day(DAY[-2])):
        pipeline.run(window, load=False)
        # What the data tests of the models find they find in the first run.
        pipeline.data_tests = False
        published |= set(window.days())
        assert_shown(pipeline, Expected(product, events, published))

    # Who was last signed in on these days was there before, or never.
    gone = sorted({event.day for event in events if event.actor in ("u1", "u2")})[-2:]
    events = [event for event in events if event.day not in gone or event.actor not in ("u1", "u2")]
    land(pipeline, events, gone)
    pipeline.load(Window(DAY[0], DAY[DAYS]))
    # The product deletes, restores and removes.
    for table in ("users", "creators", "brands", "ip_assets"):
        for row in chance.sample(list(product[table].values()), 2):
            row["deleted_at"] = None if row["deleted_at"] else row["created_at"]
    for table in ("users", "ip_assets", "licenses", "licenses", "licenses", "license_adjustments"):
        del product[table][chance.choice(sorted(product[table]))]
    write(pipeline, product)
    assert pipeline.catch_up()
    assert_shown(pipeline, Expected(product, events, published))

    with psycopg.connect(pipeline.warehouse.dsn("creator_portal"), autocommit=True) as portal:
        creator = Expected(product, events, published).rows("creators")[0]["id"]
        query = "select period, metric_date, creator_id, revenue_cents from creator_revenue_timeline"
        assert portal.execute(query).fetchall() == []
        portal.execute(sql.SQL("set app.creator_id = {}").format(creator))
        own = {row for row in Expected(product, events, published).timelines() if row[2] == creator}
        assert set(portal.execute(query).fetchall()) == own
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            portal.execute("select from platform_revenue_timeline")

    carried_on = pipeline.contents(["rollups", "marts"])
    pipeline.run(Window(DAY[0], DAY[DAYS]), load=False)
    assert pipeline.contents(["rollups", "marts"]) == carried_on
