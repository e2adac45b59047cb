"""The dashboards against the formulas of the contract as plain SQL over schema raw: a quarter, built as one range, for
every asset, creator, brand and period. What is expected is read from no model and no mart.
"""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import pytest

from tests.support import dashboard_formulas, platform_formulas, visit_formulas
from tests.support.longer_periods import assert_longer_periods_have_no_less
from tests.support.pipeline import START, Pipeline
from tests.support.random_quarter import LAST, QUARTER, create_application, random_events

EXPECTED = {
    **dashboard_formulas.EXPECTED,
    **platform_formulas.EXPECTED,
    **visit_formulas.EXPECTED,
    "weekly_metrics": dashboard_formulas.span_query("week", QUARTER),
    "monthly_metrics": dashboard_formulas.span_query("month", QUARTER),
}
TOP_TENS = ("asset_top_referrers", "creator_top_assets", "creator_traffic_sources")
# Every other column has to have several values, or this test would show nothing of it.
ALWAYS_THE_SAME = {
    "metric_date",
    *(f"{things}_total" for things in ("users", "creators", "brands", "assets", "licenses")),
}

pytestmark = [pytest.mark.slow, pytest.mark.models(*EXPECTED)]


def shown(mart: str) -> str:
    if mart not in ("weekly_metrics", "monthly_metrics"):
        return f"select * from marts.{mart}"
    measures = ("views", "clicks", "conversions", "revenue_cents", "unique_visitors", "engagement_time")
    growth = (f"{'revenue' if m == 'revenue_cents' else m}_growth_pct" for m in measures)
    columns = (*measures, *(f"avg_daily_{m}" for m in measures), *growth)
    names = ", ".join(("metric_date", "project_id", "ip_asset_id", "license_id", "published_days", *columns))
    return f"select {names} from marts.{mart}"


def test_every_dashboard_of_a_quarter_is_what_the_formulas_make_of_raw(pipeline: Pipeline) -> None:
    chance = random.Random(11)  # noqa: S311
    create_application(pipeline, chance)
    pipeline.read_application(START)
    land(pipeline, random_events(chance))
    pipeline.run(QUARTER)

    for made in (dashboard_formulas.TRACKED, dashboard_formulas.OWNED, visit_formulas.SESSIONS):
        pipeline.connection.execute(made)  # type: ignore[arg-type]
    for period, length in {"today": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": None}.items():
        first = LAST - timedelta(days=length - 1) if length else "-infinity"
        pipeline.connection.execute("insert into spans values (%s, %s, %s)", [period, first, LAST])
    expected = {mart: [_plain(row) for row in pipeline.rows(query)] for mart, query in EXPECTED.items()}

    for mart, rows in expected.items():
        columns, in_mart = table(pipeline, shown(mart))
        assert len(rows) == len(set(rows)), mart
        assert in_mart == set(rows), mart
        varied = {name for name, values in zip(columns, zip(*rows, strict=True), strict=True) if len({*values}) > 1}
        assert {*columns} - varied <= ALWAYS_THE_SAME, f"this test shows nothing of a column of {mart}"
    assert_longer_periods_have_no_less(pipeline)
    assert_much_has_happened(pipeline)


def assert_much_has_happened(pipeline: Pipeline) -> None:
    """Properties that the quarter must have for its comparison to say something."""
    for mart in TOP_TENS:
        query = EXPECTED[mart].replace("rank <= 10", "rank > 10")
        assert query != EXPECTED[mart]
        assert pipeline.rows(query), f"nothing is left out of {mart}"

    # Funnels end at every step, and some that begin in the middle, or too late, do not count.
    by_step = pipeline.rows("select step_number, sum(visitors) from marts.funnel_daily group by 1 order by 1")
    counts = [count for _, count in by_step]
    assert counts == sorted(set(counts), reverse=True)
    assert counts[-1] > 3
    clicked = (
        "select count(*) from (select distinct day, visitor from facts where clicks = 1 and asset is not null) as of"
    )
    assert pipeline.rows(clicked)[0][0] > counts[1]

    # Of many weeks some have come again, and not all.
    returning = "select count(distinct cohort_week) from marts.cohort_retention where week_number > 0"
    assert pipeline.rows(f"{returning} and visitors between 1 and cohort_visitors - 1")[0][0] > 5

    # Sessions go on over midnight; what servers report is in sessions, and in none.
    over_midnight = "select 1 from visits inner join tracked using (id) group by name having count(distinct day) > 1"
    assert len(pipeline.rows(over_midnight)) > 5
    of_servers = (
        "select visits.name is null, count(*) from tracked left join visits using (id)"
        " where tracked.source in ('api', 'system', 'webhook') group by 1"
    )
    assert all(count > 5 for _, count in pipeline.rows(of_servers))
    assert len(pipeline.rows(of_servers)) == 2


def land(pipeline: Pipeline, events: Iterable[dict[str, Any]]) -> None:
    """On the days on which they occurred."""

    def day(event: dict[str, Any]) -> str:
        return str(datetime.fromisoformat(event["occurredAt"]).date())

    for of, landed in groupby(sorted(events, key=day), day):
        pipeline.land(datetime.fromisoformat(of).date(), landed)


def table(pipeline: Pipeline, query: str) -> tuple[list[str], set[tuple[Any, ...]]]:
    """The columns and rows of a query."""
    cursor = pipeline.connection.execute(query)  # type: ignore[arg-type]
    return [column.name for column in cursor.description or ()], {_plain(row) for row in cursor.fetchall()}


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.normalize() if isinstance(value, Decimal) else value for value in row)
