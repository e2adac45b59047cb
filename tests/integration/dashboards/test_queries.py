"""Queries of dashboards on a published day, as bi_reader."""

import psycopg
import pytest

from dashboards.catalog import LIVE_VIEWS
from dashboards.queries import queries
from tests.integration.publishing.one_view import DAY, view
from tests.support.pipeline import START, Pipeline


@pytest.mark.slow
def test_every_chart_can_be_queried(pipeline: Pipeline) -> None:
    pipeline.land(START, [view(START, "first")])
    pipeline.run(DAY)
    with psycopg.connect(pipeline.warehouse.bi_dsn) as connection:
        answers = {(query.dashboard, query.chart): connection.execute(query.sql).fetchall() for query in queries()}  # type: ignore[call-overload]

    assert answers["asset", "Views and clicks by day"] == [(START, 1, 0)]
    assert answers["platform", "Views and clicks by day"] == [(START, 1, 0)]
    assert answers["data_quality", "Published"] == [(1,)]


@pytest.mark.parametrize("view", LIVE_VIEWS)
def test_live_views_have_the_columns_that_specs_may_name(view: str, connection: psycopg.Connection) -> None:
    columns = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 order by attnum",
        [f"marts.{view}"],
    ).fetchall()

    assert dict(columns) == LIVE_VIEWS[view]
