"""Visits and spend of strangers, as they write names, meet in the marts; one landing file and one spend file."""

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.ad_spend.loading import load_ad_spend
from tests.support.pipeline import Pipeline
from warehouse.window import Window

pytestmark = pytest.mark.models(
    "daily_metrics", "daily_metrics_by_channel", "roas_daily", "attribution_paths", "referrer_days"
)

DAY = date(2026, 11, 7)
EVENTS = Path(__file__).parent / "channels.ndjson"
# Case: channel, source, medium and campaign of its visit.
COMES_FROM = {
    "wbraid": ("Paid Search", "google", "cpc", "(not set)"),
    "gclid": ("Paid Search", "google", "cpc", "(not set)"),
    "www_facebook_cpc": ("Paid Social", "facebook.com", "cpc", "w1"),
    "email_plain": ("Email", "letter", "email", "b1"),
    "email_nbsp": ("Email", "letter", "email", "b1"),
    "campaign_upper": ("Email", "letter", "email", "spring_sale"),
    "campaign_lower": ("Email", "letter", "email", "spring_sale"),
    "istanbul_upper": ("Affiliates", "i\u0307stanbul-partner", "affiliate", "tr"),
    "istanbul_lower": ("Affiliates", "istanbul-partner", "affiliate", "tr"),
    "capacitor": ("Mobile Push", "push", "push", "(not set)"),
    "empty_http": ("Email", "letter", "email", "(not set)"),
    "about_blank": ("Direct", "(direct)", "(none)", "(not set)"),
}
SPEND = """date,channel,utm_source,utm_medium,utm_campaign,cost_cents
2026-11-07,,\u0130STANBUL-PARTNER,AFFILIATE,TR,500
2026-11-07,,\u0130stanbul-Partner ,affiliate\u00a0,tr,700
2026-11-07,,WWW.Facebook.com,CPC,W1,900
2026-11-07,,m.facebook.com,cpc,\u200bw1,100
2026-11-07,Email,,,,50
2026-11-07,,letter,E\uff2dail,,60
"""


def sold_by(line: dict[str, Any]) -> dict[str, Any]:
    """A conversion of the same visit, a minute after its view."""
    at = line["occurredAt"].replace(":00Z", ":30Z")
    return {
        **{name: value for name, value in line.items() if name not in ("attribution", "props")},
        "eventType": "license_created",
        "occurredAt": at,
        "idempotencyKey": f"{line['idempotencyKey']}-sold",
        "props": {"revenueCents": 1_000},
    }


@pytest.fixture
def built(pipeline: Pipeline) -> Pipeline:
    lines = [json.loads(line) for line in EVENTS.read_text().splitlines()]
    sold = [sold_by(line) for line in lines]
    pipeline.land(DAY, [*lines, *sold])
    folder = pipeline.landing / "ad_spend"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "november.csv").write_text(SPEND)
    load_ad_spend(pipeline.connection, root=pipeline.landing)
    pipeline.run(Window.day(DAY))
    return pipeline


def test_names_that_are_typed_differently_meet_and_each_cent_is_spent_once(built: Pipeline) -> None:
    came = built.rows(
        "select substr(sent.event_key, 4), channel, came.source, medium, campaign"
        " from intermediate.int_events_attributed as came inner join raw.events as sent using (event_date, event_id)"
        " where sent.event_type = 'asset_viewed'"
    )
    assert {case: tuple(names) for case, *names in came} == COMES_FROM

    met = built.rows(
        "select channel, source, medium, campaign, spend_level, cost_cents, credited_cents from marts.roas_daily"
        " where model = 'last_touch'"
    )
    assert sorted(met) == [
        ("Affiliates", "istanbul-partner", "affiliate", "tr", "none", 0, 1_000),
        ("Affiliates", "i\u0307stanbul-partner", "affiliate", "tr", "campaign", 1_200, 1_000),
        ("Direct", "(direct)", "(none)", "(not set)", "none", 0, 1_000),
        ("Email", "(not set)", "(not set)", "(not set)", "channel", 50, 0),
        ("Email", "letter", "email", "(not set)", "source", 60, 1_000),
        ("Email", "letter", "email", "b1", "none", 0, 2_000),
        ("Email", "letter", "email", "spring_sale", "none", 0, 2_000),
        ("Mobile Push", "push", "push", "(not set)", "none", 0, 1_000),
        ("Paid Search", "google", "cpc", "(not set)", "none", 0, 2_000),
        ("Paid Social", "facebook.com", "cpc", "w1", "campaign", 1_000, 1_000),
    ]
    assert built.rows("select sum(cost_cents), sum(credited_cents) from marts.roas_daily where model = 'linear'") == [
        (2_310, 12_000)
    ]


def test_a_mart_of_an_older_version_gets_the_level_of_its_spend_in_place(built: Pipeline) -> None:
    """Built and published tables have another grain, whose index would refuse two rows of the same names."""
    expected = built.contents(("marts",))["marts.roas_daily"]
    names = "metric_date, model, channel, source, medium, campaign"
    for schema in ("build", "marts"):
        built.connection.execute(
            f"drop index {schema}.roas_daily_grain;"  # type: ignore[arg-type]
            f"alter table {schema}.roas_daily drop column spend_level;"
            f"create unique index roas_daily_grain on {schema}.roas_daily ({names}) nulls not distinct"
        )
    # Beside it the longest names that are accepted, of characters of four bytes that nothing compresses.
    chance = random.Random(1)  # noqa: S311
    names_sent = {
        key: "".join(chr(0x2_0000 + chance.randrange(0xA000)) for _ in range(255))
        for key in ("utmSource", "utmMedium", "utmCampaign")
    }
    host = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(8_000))
    for name, attribution in (("names", names_sent), ("host", {"referrer": f"https://{host}.example/"})):
        long = json.loads(EVENTS.read_text().splitlines()[0]) | {"anonymousId": name, "idempotencyKey": f"ch-{name}"}
        built.land(DAY, [{**long, "attribution": attribution}, sold_by(long)], f"{name}.ndjson")
    built.run(Window.day(DAY))
    wanted = (*names.split(", "), "spend_level")
    for schema in ("build", "marts"):
        columns = built.rows(
            "select attname::text from pg_attribute where attrelid = %s::regclass order by attnum",
            f"{schema}.roas_daily_grain",
        )
        assert tuple(name for (name,) in columns) == wanted
    # A row more for each of eight models: the long names. Direct, the visit from no host, had a row before.
    assert len(built.contents(("marts",))["marts.roas_daily"]) == len(expected) + 8
    assert built.rows("select sum(views) from build.referrer_days where referrer like '%%.example'") == [(None,)]
