"""Questions of analysts: every query of docs/reference/questions.md, as BI asks it, on numbers that one can count."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from ingestion.ad_spend.loading import load_ad_spend
from ingestion.application.source import connect_application
from tests.support import application_tables
from tests.support.pipeline import Pipeline
from warehouse.connection import CHECKOUT, Warehouse
from warehouse.window import ONE_DAY, Window

PAGE = (CHECKOUT / "docs" / "reference" / "questions.md").read_text()
# The first is a Thursday: of its week 4 days are published.
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 12)
APPLICATION = """
insert into users values ('ana', 'ana@example.org', 'user', '2026-09-01', null);
insert into creators values ('creator-0', 'ana', 'Ana', '2026-09-01', null);
insert into brands values ('brand-0', 'bob', 'Bob & Co', '2026-09-01', '2026-10-02');
insert into ip_assets values ('asset-0', 'Song', 'music', 'ana', '2026-10-01', null);
insert into ip_ownerships values ('share-0', 'asset-0', 'creator-0', 10000, '2026-10-01', null);
insert into projects values ('project-0', 'brand-0', 'Film', 0, '2026-10-01');
insert into licenses values
    ('license-0', 'asset-0', 'brand-0', 'project-0', null, 900, 'active', '2026-10-01', null, '2026-10-01');
"""
# A minute after each other.
STEPS = ["asset_viewed", "license_clicked", "license_created"]


def queries() -> dict[str, list[str]]:
    """The queries of each section of the page."""
    sections = re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.DOTALL | re.MULTILINE)
    return {title: re.findall(r"```sql\n(.*?)```", text, flags=re.DOTALL) for title, text in sections}


def visit(day: date, who: str, event_type: str = "asset_viewed", **more: Any) -> dict[str, Any]:
    return {
        "eventType": event_type,
        "occurredAt": f"{day}T10:0{STEPS.index(event_type)}:00Z",
        "idempotencyKey": f"{day} {event_type} {who}",
        "anonymousId": who,
        "projectId": "project-0",
        "ipAssetId": "asset-0",
        "context": {"deviceType": "mobile" if who == "phone" else "desktop", "browser": "Firefox"},
        "attribution": {"utmSource": "google", "utmMedium": "cpc", "utmCampaign": "autumn"} if who == "phone" else {},
        **more,
    }


def publish(pipeline: Pipeline) -> None:
    """Twelve days: a phone that licenses on two of them, a laptop that looks each day, an asset that nobody knows."""
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        application.execute(f"{application_tables.DDL} {APPLICATION}")  # type: ignore[arg-type]
        application.commit()
    for day in Window(FIRST, LAST + ONE_DAY).days():
        events: list[Any] = [visit(day, "laptop")]
        if day in (date(2026, 10, 5), LAST):
            events += [
                visit(day, "phone"),
                visit(day, "phone", "license_clicked"),
                visit(day, "phone", "license_created", props={"revenueCents": 1000}),
                visit(day, "robot", context={"userAgent": "Googlebot/2.1"}),
                visit(day, "guest", ipAssetId="asset-9", projectId="undefined"),
                "no JSON",
            ]
        pipeline.land(day, events)
    spend = pipeline.landing / "ad_spend"
    spend.mkdir(parents=True)
    (spend / "spend.csv").write_text(
        f"date,utm_source,utm_medium,utm_campaign,cost_cents\n{FIRST + timedelta(days=4)},google,cpc,autumn,500\n"
    )
    load_ad_spend(pipeline.connection, root=pipeline.landing)
    pipeline.read_application(FIRST)
    pipeline.run(Window(FIRST, LAST + ONE_DAY))


def answers(warehouse: Warehouse) -> dict[str, list[list[dict[str, Any]]]]:
    """The rows of every query."""
    with psycopg.connect(warehouse.bi_dsn, row_factory=psycopg.rows.dict_row) as bi:
        return {title: [bi.execute(text).fetchall() for text in found] for title, found in queries().items()}  # type: ignore[arg-type]


def test_no_query_reads_anything_but_marts() -> None:
    found = [query for several in queries().values() for query in several]
    assert len(queries()) == 11
    assert all(found)
    assert [query for query in found if re.search(r"\b(raw|ops|staging|intermediate|build|rollups)\.", query)] == []


@pytest.mark.models
def test_every_question_has_its_answer(pipeline: Pipeline) -> None:
    publish(pipeline)
    shown = answers(pipeline.warehouse)

    def first(start: str) -> list[dict[str, Any]]:
        [title] = (title for title in shown if title.startswith(start))
        return shown[title][0]

    [asset] = first("Which assets")
    assert (asset["title"], asset["total_revenue_cents"], asset["total_views"]) == ("Song", 2000, 14)

    weeks = {
        (str(row["week"]), row["channel"]): (row["published_days"], row["revenue_cents"], row["revenue_growth_pct"])
        for row in first("What did each channel")
    }
    assert weeks["2026-10-12", "Paid Search"] == (1, 1000, Decimal("0.0000"))
    assert weeks["2026-10-05", "Paid Search"] == (7, 1000, None)
    assert weeks["2026-09-28", "Direct"] == (4, 0, None)

    [campaign] = first("What did each campaign")
    assert (campaign["campaign"], campaign["cost_cents"], campaign["credited_cents"]) == ("autumn", 500, 1000)
    assert campaign["roas"] == 2

    devices = {(row["device"], row["browser"]): row for row in first("How do devices")}
    assert devices["mobile", "Firefox"]["conversion_rate_pct"] == 100
    assert (devices["desktop", "Firefox"]["sessions"], devices["desktop", "Firefox"]["conversion_rate_pct"]) == (14, 0)

    creator = [(row["display_name"], row["period"], row["total_revenue_cents"]) for row in first("How does a creator")]
    assert creator == [("Ana", "30d", 2000), ("Ana", "all", 2000)]

    [totals] = first("How many visitors")
    assert totals["unique_visitors"] == 2, "the laptop on eight days, the phone on two"

    cohorts = {(str(row["cohort_week"]), row["week_number"]): row["visitors"] for row in first("How many new")}
    assert cohorts["2026-09-28", 1] == 1
    assert cohorts["2026-10-05", 1] == 2, "phone and guest"

    steps = {(row["channel"], row["step"]): row["visitors_a_day"] for row in first("How far")}
    assert steps["Paid Search", "license_created"] == 1
    assert steps["Direct", "license_created"] == 0

    late = first("Which days")
    assert {row["state"] for row in late} == {"late"}
    assert all(row["marts"] > 20 and row["reasons"] == ["nothing_loaded"] for row in late)

    [rejected] = first("What was rejected")
    assert (rejected["reason"], rejected["lines"]) == ("line: not JSON", 1), "the other one landed a week before"

    named = first("What are the names")
    assert (named[0]["title"], named[0]["project_name"], named[0]["company_name"]) == ("Song", "Film", "Bob & Co")
    assert None in {row["title"] for row in named}, "an asset that the product does not know"
