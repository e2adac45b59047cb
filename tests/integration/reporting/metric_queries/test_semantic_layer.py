"""The semantic layer: MetricFlow, SQL on the marts and `reporting` show one number for each headline metric."""

import csv
import re
import shlex
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from orchestration.cli import semantic_layer
from publishing import dbt_manifest
from reporting.metrics import Metrics
from tests.support.random_quarter import LAST
from warehouse.connection import CHECKOUT, Warehouse

METRICS = ("views", "clicks", "conversions", "revenue_cents", "conversion_rate", "click_through_rate")

pytestmark = [pytest.mark.models, pytest.mark.slow]


@pytest.fixture
def layer(quarter: Warehouse, tmp_path: Path) -> "Layer":
    if not (semantic_layer.PROGRAMS / "mf").exists():
        pytest.skip("MetricFlow has an environment of its own, which make metricflow installs")
    return Layer(quarter, tmp_path)


class Layer:
    """MetricFlow on a warehouse, with a copy of the dbt project in a folder."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse, self.folder = warehouse, folder

    def run(self, *arguments: str) -> int:
        return semantic_layer.run(self.warehouse, arguments, folder=self.folder / "semantic")

    def query(self, *arguments: str) -> list[dict[str, str]]:
        """The rows of a query of metrics."""
        output = self.folder / "answer.csv"
        assert self.run("query", *arguments, "--csv", str(output)) == 0
        with output.open() as rows:
            return list(csv.DictReader(rows))


def number(row: dict[str, str], name: str) -> float | None:
    return float(row[name]) if row[name] not in ("", "None", "nan") else None


def floats(rows: list[tuple[Any, ...]]) -> list[tuple[float | None, ...]]:
    return [tuple(None if value is None else float(value) for value in row) for row in rows]


def test_the_semantic_manifest_has_the_metrics(quarter: Warehouse) -> None:
    """dbt reads a newer specification without a word, and keeps nothing of it."""
    metrics = {metric["name"] for metric in dbt_manifest.manifest()["metrics"].values()}
    assert metrics >= {*METRICS, "revenue_cents_of_30_days", "revenue_growth_pct_of_7_days"}


def test_the_commands_of_the_page_run(layer: Layer) -> None:
    page = (CHECKOUT / "docs" / "reference" / "semantic_layer.md").read_text()
    commands = re.findall(r'^make metricflow ARGUMENTS="(.*)"$', page, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        assert layer.run(*shlex.split(command)) == 0, command


def test_metricflow_the_marts_and_reporting_agree(layer: Layer) -> None:
    daily = layer.query("--metrics", ",".join(METRICS), "--group-by", "metric_time__day", "--order", "metric_time__day")
    with psycopg.connect(layer.warehouse.bi_dsn) as bi:
        days = bi.execute(
            "select views, clicks, conversions, revenue_cents, round(100.0 * conversions / nullif(views, 0), 4),"
            " round(100.0 * clicks / nullif(views, 0), 4) from platform_daily_metrics order by metric_date"
        ).fetchall()
    assert [tuple(number(row, name) for name in METRICS) for row in daily] == floats(days)

    with Metrics(layer.warehouse.bi_dsn) as metrics:
        answers = {period: metrics.platform_metrics(period) for period in ("7d", "30d", "all")}
    revenue = {date.fromisoformat(row["metric_time__day"][:10]): number(row, "revenue_cents") for row in daily}
    for period, answer in answers.items():
        assert sum(cents or 0 for day, cents in revenue.items() if day >= (answer.start or day)) == (
            answer.totals.revenue_total_cents
        ), period
        assert {day.metric_date: float(day.revenue_cents) for day in answer.revenue_timeline}.items() <= revenue.items()

    # Windows: 30 days that end with the last day, and the last day against the one a week before.
    windows = layer.query(
        *("--metrics", "revenue_cents_of_30_days,revenue_growth_pct_of_7_days", "--group-by", "metric_time__day"),
        *("--where", f"{{{{ TimeDimension('metric_time', 'day') }}}} >= '{LAST}'"),
    )
    (last,) = windows
    assert number(last, "revenue_cents_of_30_days") == answers["30d"].totals.revenue_total_cents
    now, before = revenue[LAST], revenue[LAST - timedelta(days=7)]
    assert now
    assert before
    assert number(last, "revenue_growth_pct_of_7_days") == round(100 * (now - before) / before, 4)
