"""Specs of dashboards: what they may say, and how a mistake is named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.catalog import LIVE_VIEWS, assert_valid, catalog
from dashboards.queries import chart_sql, dashboards, queries
from dashboards.spec import Dashboard, SpecError, read
from publishing import dbt_manifest

KNOWN = {
    "totals": {"period": "text", "revenue_cents": "bigint", "views": "bigint", "owner_id": "text", "owner": "text"},
    "days": {"metric_date": "date", "views": "bigint"},
    "periods": {"period": "text", "first_date": "date", "last_date": "date"},
}

REVENUE = {"sum": "revenue_cents", "unit": "money"}


def spec(**changes: Any) -> dict[str, Any]:
    """A dashboard of two charts, with changes."""
    return {
        "name": "shop",
        "title": "Shop",
        "exposure": "shop",
        "about": "Sales.",
        "sources": {"days": {"each_period": True}},
        "filters": [{"title": "Period", "column": "period", "mart": "periods", "default": "30d"}],
        "rows": [
            [
                {"title": "Revenue", "kind": "number", "mart": "totals", "value": REVENUE},
                {"title": "Views", "kind": "line", "mart": "days", "x": "metric_date", "value": {"sum": "views"}},
            ]
        ],
    } | changes


def written(tmp_path: Path, content: dict[str, Any]) -> Dashboard:
    path = tmp_path / "shop.yml"
    path.write_text(yaml.safe_dump(content))
    return read(path)


def chart(**changes: Any) -> list[list[dict[str, Any]]]:
    return [[{"title": "Views", "kind": "number", "mart": "totals", "value": {"sum": "views"}} | changes]]


def test_the_specs_of_the_repository_can_be_built() -> None:
    assert [dashboard.name for dashboard in dashboards()] == [
        "asset",
        "attribution",
        "brand",
        "creator",
        "data_quality",
        "funnel_and_cohorts",
        "platform",
    ]


@pytest.mark.parametrize("dashboard", dashboards(), ids=lambda dashboard: dashboard.name)
def test_a_dashboard_reads_the_marts_of_its_exposure(dashboard: Dashboard) -> None:
    exposures = {one["name"]: one["depends_on"]["nodes"] for one in dbt_manifest.manifest()["exposures"].values()}

    assert {node.rpartition(".")[2] for node in exposures[dashboard.exposure]} == set(dashboard.marts) - set(LIVE_VIEWS)


def test_every_exposure_of_that_type_has_a_dashboard() -> None:
    found = dbt_manifest.manifest()["exposures"].values()
    exposures = {one["name"] for one in found if one["type"] == "dashboard"}

    assert {dashboard.exposure for dashboard in dashboards()} == exposures


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"rows": chart(value={"sum": "profit"}), "sources": {}},
            "shop, chart Views: totals has no column profit; it has period, revenue_cents, views, owner_id, owner",
        ),
        ({"rows": chart(mart="total")}, "shop: mart total does not exist; the marts are days, periods, totals"),
        (
            {"sources": {}},
            "shop, chart Views: days has no column period, so a filter would not change the chart",
        ),
        (
            {"filters": [{"title": "Owner", "column": "owner", "mart": "periods"}]},
            "shop, filter Owner: periods has no column owner; it has period, first_date, last_date",
        ),
        (
            {"filters": [{"title": "Period", "column": "period", "mart": "periods", "without": ["Profit"]}]},
            "shop, filter Period: no chart is called Profit",
        ),
        (
            {"sources": {"weeks": {"each_period": True}}},
            "shop: sources names weeks, which no chart and no filter reads",
        ),
        (
            {"sources": {"totals": {"names": {"shop": {"name": "title", "id": "owner_id"}}}}},
            "shop, source totals: totals has no column title",
        ),
        ({"rows": chart() + chart(), "sources": {}}, "shop: several charts are called Views"),
    ],
)
def test_what_does_not_exist_is_named_with_its_place(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        assert_valid(written(tmp_path, spec(**changes)), KNOWN)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (chart(kind="pie"), "shop.yml: rows.0.0.kind: Input should be 'number', 'line', 'bar', 'table' or 'heatmap'"),
        (
            chart(value={"sum": "views", "max": "views"}),
            "rows.0.0.values.0 (chart Views): give one of sum, max, count and ratio",
        ),
        (chart(kind="line"), "rows.0.0 (chart Views): a line needs x"),
        (chart(kind="table"), "rows.0.0 (chart Views): a table needs columns"),
        (chart(colour="red"), "rows.0.0.colour: Extra inputs are not permitted"),
        (chart(order="-Profit"), "rows.0.0 (chart Views): order names Profit, which the chart does not show"),
    ],
)
def test_a_wrong_field_is_named_with_its_place(tmp_path: Path, rows: Any, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        written(tmp_path, spec(rows=rows))

    assert message in str(caught.value)


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text("rows: [")

    with pytest.raises(SpecError, match=r"shop\.yml is no YAML"):
        read(tmp_path / "shop.yml")


def test_a_query_has_the_first_choice_of_its_filters(tmp_path: Path) -> None:
    dashboard = written(tmp_path, spec())
    revenue, views = (query.sql for query in queries([dashboard]))

    assert 'sum(revenue_cents) / 100.0 as "Revenue"' in revenue
    assert "where period = '30d'" in revenue
    assert "inner join marts.periods" in views
    assert "group by metric_date" in views


def test_a_choice_is_no_sql(tmp_path: Path) -> None:
    dashboard = written(tmp_path, spec())

    assert "where period = '''; drop'" in chart_sql(dashboard, next(dashboard.charts), period="'; drop")


def test_the_catalog_has_marts_and_live_views() -> None:
    known = catalog()

    assert known["creator_dashboard"]["total_revenue_cents"] == "bigint"
    assert "visitor_asset_days" not in known
    assert LIVE_VIEWS.keys() <= known.keys()


def test_a_list_of_what_is_wrong_may_be_empty() -> None:
    empty = {query.chart for query in queries() if query.may_be_empty}

    assert empty == {"Days that are not as they should be", "Checks that failed", "Rejected lines by reason"}
