"""Checks of dashboards on marts that a test empties, closes or renames columns of."""

from collections.abc import Iterator

import psycopg
import pytest

from publishing import gates
from quality_checks.registry import RuleCheck
from tests.integration.publishing.one_view import DAY
from tests.support.pipeline import START, Pipeline

pytestmark = pytest.mark.models(
    "platform_metrics", "platform_revenue_timeline", "daily_metrics_by_channel", "weekly_metrics"
)

[PLATFORM] = [check for check in gates.DASHBOARD_CHECKS if check.name == "charts_of_platform_dashboard_have_rows"]


@pytest.fixture
def reader(published: Pipeline) -> Iterator[psycopg.Connection]:
    """A connection as BI has it, to a warehouse with a published day."""
    with published.warehouse.connect_to(published.warehouse.bi_dsn, autocommit=True) as connection:
        yield connection


def problems(reader: psycopg.Connection) -> dict[str, str]:
    """Return the problem of each chart that the check names."""
    assert isinstance(PLATFORM, RuleCheck)
    outcome = PLATFORM(reader, DAY)
    assert outcome.passed == (not outcome.sample)
    assert not outcome.blocks
    assert outcome.days == (() if outcome.passed else (START,))
    return {str(row["chart"]): str(row["problem"]) for row in outcome.sample}


def test_a_dashboard_whose_charts_bi_can_read_passes_and_others_name_the_chart_and_why(
    published: Pipeline, reader: psycopg.Connection
) -> None:
    assert problems(reader) == {}
    published.connection.execute("delete from marts.platform_daily_metrics")
    without_rows = problems(reader)
    assert without_rows
    assert set(without_rows.values()) == {"no rows"}

    published.connection.execute("revoke select on marts.platform_metrics from bi_reader")
    assert "permission denied for table platform_metrics" in problems(reader).values()
    published.connection.execute("grant select on marts.platform_metrics to bi_reader")
    published.connection.execute("alter table marts.platform_metrics rename revenue_total_cents to cents")
    assert any("column mart.revenue_total_cents does not exist" in problem for problem in problems(reader).values())
