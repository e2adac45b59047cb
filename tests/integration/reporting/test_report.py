"""The report of a published warehouse: every number is that of the marts, no text is markup, nothing is loaded."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reporting.pages import last_night, numbers
from reporting.pages.blocks import Message
from reporting.pages.creator import CreatorNotFound
from reporting.pages.page import remove_reports, report, write_report
from tests.integration.reporting.conftest import NIGHT
from tests.integration.reporting.marketplace import LATE, NAME, SECOND, TITLE
from tests.support.html_pages import Page, read_page
from tests.support.pipeline import START, Pipeline

PERIODS = ("today", "7d", "30d", "90d", "1y", "all")
# The lines of the table of periods, in its order.
OF_PLATFORM = {
    "revenue_total_cents": "amount",
    "revenue_growth_pct": "percent",
    "users_total": "count",
    "users_new": "count",
    "users_active": "count",
    "creators_total": "count",
    "creators_active": "count",
    "creators_avg_revenue_per_creator": "amount",
    "brands_total": "count",
    "brands_active": "count",
    "brands_avg_spend_per_brand": "amount",
    "assets_total": "count",
    "assets_uploaded": "count",
    "assets_avg_views_per_asset": "decimal",
    "licenses_total": "count",
    "licenses_created": "count",
    "licenses_renewal_rate": "percent",
    "licenses_expiring_renewal_rate": "percent",
}
OF_CREATOR = {
    "total_revenue_cents": "amount",
    "total_views": "count",
    "total_licenses": "count",
    "avg_conversion_rate": "percent",
}
pytestmark = pytest.mark.models(
    "platform_metrics",
    "platform_revenue_timeline",
    "creator_revenue_timeline",
    "creator_top_assets",
    "creator_traffic_sources",
    "attribution_daily",
    "attribution_paths",
    "roas_daily",
    "asset_metrics",
    "daily_metrics_by_channel",
    "weekly_metrics",
)

# Elements and attributes by which a page loads something.
LOADING = {"script", "link", "iframe", "img", "image", "use", "object", "embed", "video", "audio", "source", "base"}


def read(cell: str, kind: str) -> Decimal | None:
    """Return the number that a person reads in a cell: cents of an amount, per cent of a percentage."""
    if cell == "–":  # noqa: RUF001
        return None
    assert cell.endswith(" %") == (kind == "percent"), cell
    number = Decimal(cell.removesuffix(" %").replace(",", ""))
    assert -number.as_tuple().exponent == (0 if kind == "count" else 2), cell  # type: ignore[operator]
    return number * 100 if kind == "amount" else number


def rounded(value: Any, kind: str) -> Decimal | None:
    return value if value is None else round(Decimal(value) + Decimal("1e-9"), 0 if kind in {"amount", "count"} else 2)


def assert_rows(page: Page, heading: str, kinds: tuple[str, ...], expected: list[tuple[Any, ...]]) -> None:
    """Assert that the first cell of each row is a text and the others are these numbers."""
    assert expected
    found = [(row[0], *map(read, row[1:], kinds)) for row in page.rows(heading)]
    assert found == [(str(row[0]), *map(rounded, row[1:], kinds)) for row in expected]


def by_period(page: Page, heading: str, columns: dict[str, str], rows: dict[str, dict[str, Any]]) -> None:
    head, *lines = page.tables[heading]
    assert head[1:] == ["Last day", "7 days", "30 days", "90 days", "365 days", "All days"]
    assert len(lines) == len(columns)
    for (column, kind), line in zip(columns.items(), lines, strict=True):
        assert [read(cell, kind) for cell in line[1:]] == [rounded(rows[period][column], kind) for period in PERIODS]


def as_json(pipeline: Pipeline, query: str) -> dict[str, dict[str, Any]]:
    return dict(pipeline.rows(f"select period, to_jsonb(found) from ({query}) as found"))


@pytest.mark.slow
def test_every_number_of_the_platform_and_of_the_creator_is_that_of_the_marts(shop: Pipeline) -> None:
    page = read_page(report(shop.connection, now=NIGHT))
    assert "Sunday, 4 October 2026" not in page.said("The platform")
    assert "Friday, 2 October 2026" in page.said("The platform")
    assert {"Revenue", "1,234.61"} <= set(page.texts["The platform"])
    day = "to_char(metric_date, 'Dy YYYY-MM-DD')"
    assert_rows(
        page,
        "Revenue by day",
        ("amount", "count", "count", "count"),
        shop.rows(
            f"select {day}, revenue_cents, views, clicks, conversions from marts.platform_daily_metrics"
            " order by metric_date desc"
        ),
    )
    assert_rows(
        page,
        "Revenue by channel",
        ("amount", "decimal"),
        shop.rows(
            "select channel, sum(credited_cents), sum(credited_conversions) from marts.attribution_daily"
            " where model = 'last_non_direct' group by 1 order by 2 desc"
        ),
    )
    platform = as_json(shop, "select * from marts.platform_metrics")
    by_period(page, "All periods", OF_PLATFORM, platform)
    assert platform["30d"]["revenue_total_cents"] == 123_461

    heading = f"Creator {NAME}"
    assert "The creator with the most revenue" in page.said(heading)
    creator = "creator_id = 'creator-ana' and period = '30d'"
    assert_rows(
        page,
        "Revenue of the creator by day",
        ("amount",),
        shop.rows(
            f"select {day}, revenue_cents from marts.creator_revenue_timeline where {creator} order by metric_date desc"
        ),
    )
    sources = "select utm_source, visits, conversions from marts.creator_traffic_sources"
    assert_rows(page, "Visits by source", ("count", "count"), shop.rows(f"{sources} where {creator} order by rank"))
    # Both sections list assets; the creator's are those of the platform here, and stand below them.
    of_platform = "select title, total_revenue_cents, total_views, total_clicks, total_conversions"
    assets = page.tables["Assets with the most revenue"]
    expected = shop.rows(f"{of_platform} from marts.asset_metrics where period = '30d' order by 2 desc")
    assert [(row[0], read(row[1], "amount"), int(row[2])) for row in assets[1:3]] == [row[:3] for row in expected]
    own = shop.rows(f"select title, revenue_cents, views from marts.creator_top_assets where {creator} order by rank")
    assert [(row[0], read(row[1], "amount"), int(row[2])) for row in assets[4:]] == own
    creators = as_json(shop, "select * from marts.creator_dashboard where creator_id = 'creator-ana'")
    by_period(page, "All periods of the creator", OF_CREATOR, creators)


@pytest.mark.slow
def test_the_last_night_says_what_ran_what_was_rejected_and_what_is_late(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.connection.execute("update ops.published_days set published_at = %s", [NIGHT])
    [(run_id,)] = shop.rows("select distinct run_id from ops.published_days")
    shop.connection.execute(
        "insert into ops.check_results"
        " (build_id, check_name, window_start, window_end, severity, is_passed, observed, bad_days)"
        " select 'b', name, %(day)s, %(day)s::date + 1, severity, false, '{}', array[%(day)s]::date[]"
        " from (values ('day_has_events', 'error'), ('types_are_known', 'warning')) as failing(name, severity)",
        {"day": SECOND},
    )
    shop.connection.execute(
        "insert into ops.stale_day_marks (event_date, layer, reason, change_id)"
        " values (%s, 'events', 'events_changed', 1)",
        [START],
    )
    monkeypatch.setattr(last_night, "_DAYS_SHOWN", 100_000)
    fault = Message("fault", "day refused: 2026-10-02", "look at the rows of the check")
    page = read_page(report(shop.connection, now=NIGHT, faults=[fault]))

    assert "Friday, 2 October 2026, the last day that was due, is published." in page.said("Marketplace report")
    night = page.said("The last night")
    assert "day refused: 2026-10-02 To do: look at the rows of the check" in night
    assert page.rows("What ran") == [["2026-10-03 02:10 UTC", "2026-10-01", "2026-10-02", "2", run_id[:8]]]
    assert page.rows("What was refused, and warnings") == [
        ["day has events", "refuses the days", "1", "2026-10-02"],
        ["types are known", "warns", "1", "2026-10-02"],
    ]
    marts = str(shop.rows("select count(*) from ops.published_marts")[0][0])
    # The views know the real time: the days since are late, and the newest stand first.
    late, *_, refused, stale = page.rows("What is late or stale")
    assert late[1] == "late"
    assert [refused[0], *refused[1:3], refused[4]] == ["Fri 2026-10-02", "refused", marts, "day has events"]
    assert [stale[0], *stale[1:3], stale[4]] == ["Thu 2026-10-01", "stale", marts, "events changed"]
    assert refused[3].endswith(" UTC")
    reasons = page.rows("Rejected lines by reason")
    assert sorted(row[1] for row in reasons) == ["1", "1"]
    assert ["line: not JSON", "1"] in reasons
    counts = "files, lines_read, accepted, rejected, duplicates, not_tracked, erased, late"
    sums = ", ".join(f"sum({name})" for name in counts.split(", ")[1:])
    landed = shop.rows(
        f"select to_char(landing_date, 'Dy YYYY-MM-DD'), count(*), {sums} from ops.loads where lines_read > 0"
        " group by landing_date order by landing_date desc"
    )
    assert_rows(page, "Lines by outcome", ("count",) * 8, landed)
    # Of three lines that landed two days late, one was rejected and two were late.
    assert page.rows("Rejected lines and late events")[0] == [f"{LATE:%a %Y-%m-%d}", "33.33 %", "100.00 %"]

    late = read_page(report(shop.connection, now=NIGHT.replace(day=5)))
    assert "Sunday, 4 October 2026 was due and is not published. Readers see days up to 2026-10-02" in late.said(
        "The last night"
    )
    assert "No run has published a day in these 24 hours." in late.said("What ran")


@pytest.mark.slow
def test_texts_are_no_markup_the_page_loads_nothing_and_names_no_visitor(shop: Pipeline, tmp_path: Path) -> None:
    text = report(shop.connection, now=NIGHT)
    page = read_page(text)
    tags = {tag for tag, _ in page.elements}
    assert tags & LOADING == set()
    assert "b" not in tags
    assert page.rows("Assets with the most revenue")[0][0] == TITLE
    assert any(row[0] == "news<letter>" for row in page.rows("Visits by source"))
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "href", "xlink:href", "action", "data", "style"}:
                assert (value or "").startswith("#"), (tag, name, value)
    assert re.findall(r"https?:|//\w|url\(|@import", text) == []
    assert [secret for secret in ("device-of-a", "person-of-a", "person-ana", "no JSON") if secret in text] == []
    assert len(text) < 300_000

    assert_accessible(page)
    assert_written_whole(shop, tmp_path)


def assert_accessible(page: Page) -> None:
    """Assert that charts have texts and tables, and that what refers to an element finds it."""
    charts = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert len(charts) == 5
    for chart in charts:
        assert chart["role"] == "img"
        title, _, rest = (chart["aria-label"] or "").partition(":")
        assert rest.endswith("The table has its numbers.")
        assert page.rows(title)
    assert ("html", {"lang": "en"}) in page.elements
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes}
    assert named <= set(ids)
    linked = {(attributes["href"] or "#")[1:] for tag, attributes in page.elements if tag == "a"}
    assert linked == {"platform", "creator", "night"}
    assert linked <= set(ids)


def assert_written_whole(shop: Pipeline, folder: Path) -> None:
    """Assert that the file is private, whole or as before, and that a creator is chosen by id."""
    path = folder / "reports" / "report.html"
    write_report(path, shop.connection, now=NIGHT, creator_id="creator-ben", currency="EUR")
    written = path.read_text()
    assert "Creator Ben" in read_page(written).texts
    assert "Amounts are in EUR." in read_page(written).said("Marketplace report")
    assert "The creator with the most revenue" not in read_page(written).said("Creator Ben")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CreatorNotFound, match="no creator 'creator-eve'"):
        write_report(path, shop.connection, now=NIGHT, creator_id="creator-eve")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
    assert path.read_text() == written
    path.with_name(".report.html.17.tmp").write_text("of a writer that was killed")
    remove_reports(path.parent)
    assert list(path.parent.iterdir()) == []


def test_a_warehouse_that_never_published_has_a_page_that_says_so(pipeline: Pipeline) -> None:
    page = read_page(report(pipeline.connection, now=NIGHT))
    assert page.tables == {}
    assert "Nothing is published yet" in page.said("The platform")
    assert "Nothing is published yet" in page.said("A creator")
    assert "Nothing is published yet." in page.said("Marketplace report")
    assert "No file was loaded yet." in page.said("Lines by outcome")
    with pytest.raises(CreatorNotFound, match="nothing is published"):
        report(pipeline.connection, now=NIGHT, creator_id="creator-ana")


def test_half_a_cent_is_rounded_away_from_zero_and_nothing_is_a_dash() -> None:
    assert numbers.amount(Decimal("1234567.5")) == "12,345.68"
    assert numbers.amount(-5) == "-0.05"
    assert (numbers.amount(None), numbers.count(None), numbers.growth(None)) == (numbers.ABSENT,) * 3
    assert (numbers.growth(Decimal("5")), numbers.growth(Decimal("-5"))) == ("+5.00 %", "-5.00 %")
    assert numbers.percent(numbers.share(1, 0)) == numbers.ABSENT
    assert numbers.some("abcdefg") == "a, b, c, d, e and 2 more"
