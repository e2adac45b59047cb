"""Paths and credits as the whole chain makes them: whole under late and corrected events, conserved, and gated."""

from datetime import date
from typing import Any

import pytest

from ingestion.ad_spend.loading import load_ad_spend
from quality_checks.attribution import MODELS, unattributed_conversion_rate_below_threshold
from tests.support.dbt_here import run_dbt
from tests.support.pipeline import START, GateClosed, Pipeline
from warehouse.connection import Warehouse
from warehouse.window import ONE_DAY, Window

pytestmark = pytest.mark.models

SECOND = START + ONE_DAY
TWO_DAYS = Window(START, SECOND + ONE_DAY)
EMAIL = {"utmSource": "news", "utmMedium": "email", "utmCampaign": "May"}
PAID = {"utmSource": "google", "utmMedium": "cpc", "utmCampaign": "May"}


def event(day: date, time: str, key: str, **more: Any) -> dict[str, Any]:
    """Return a view of the product at this time of the day, in UTC."""
    at = f"{day}T{time}Z"
    return {"eventType": "page_viewed", "occurredAt": at, "receivedAt": at, "idempotencyKey": key, **more}


def license_created(day: date, time: str, key: str, cents: int | None, **more: Any) -> dict[str, Any]:
    """Return a conversion of this value; None for none."""
    props = {} if cents is None else {"revenueCents": cents}
    return event(day, time, key, props=props, **more) | {"eventType": "license_created"}


def sessions_credited(pipeline: Pipeline, model: str = "linear") -> list[tuple[Any, ...]]:
    """Return of every conversion its day, when its touches began, oldest first, and what they add up to."""
    return pipeline.rows(
        "select metric_date, array_agg(to_char(touched_at, 'HH24:MI') order by touched_at), sum(weight),"
        " sum(credited_cents) from marts.attribution_credits where model = %s"
        " group by metric_date, conversion_id order by 1, 4",
        model,
    )


def test_a_path_that_changes_leaves_no_old_credit_rows(pipeline: Pipeline) -> None:
    """Where a link is learned, and later taken back and the value corrected, when the conversion was published."""
    pipeline.land(START, [event(START, "10:00:00", "on the phone", anonymousId="phone", attribution=EMAIL)])
    pipeline.land(SECOND, [license_created(SECOND, "12:00:00", "deal", 900, anonymousId="laptop", actorId="ana")])
    pipeline.run(TWO_DAYS)
    assert sessions_credited(pipeline) == [(SECOND, ["12:00"], 1, 900)]

    # It turns out that ana had signed in on the phone the day before.
    pipeline.land(SECOND, [event(START, "20:00:00", "sign-in", anonymousId="phone", actorId="ana")], "late.ndjson")
    pipeline.load(Window.day(SECOND))
    pipeline.catch_up()
    assert sessions_credited(pipeline) == [(SECOND, ["10:00", "20:00", "12:00"], 1, 900)]
    assert sessions_credited(pipeline, "first_touch") == [(SECOND, ["10:00"], 1, 900)]

    # And she had not; what the evidence had earned goes with it. The rerun of the day brings its corrections too.
    pipeline.land(SECOND, [license_created(SECOND, "12:00:00", "deal", 100, anonymousId="laptop", actorId="ana")])
    pipeline.land(SECOND, [], "late.ndjson")
    pipeline.load(Window.day(SECOND))
    pipeline.catch_up()
    assert sessions_credited(pipeline) == [(SECOND, ["12:00"], 1, 100)]
    assert pipeline.rows("select count(*), sum(weight) from marts.attribution_credits") == [(8, 8)]


def test_the_oldest_day_of_a_run_sees_the_whole_lookback(pipeline: Pipeline) -> None:
    """And not a microsecond more: the first session is 30 days before one conversion, and longer before the others."""
    last = START + 30 * ONE_DAY
    pipeline.land(START, [event(START, "08:00:00", "first", actorId="ana", attribution=EMAIL)])
    pipeline.run(Window.day(START))
    pipeline.land(
        last,
        [
            license_created(last, "08:00:00", "in time", 1, actorId="ana"),
            license_created(last, "08:00:00.000001", "too late", 2, actorId="ana"),
        ],
    )
    pipeline.land(last + ONE_DAY, [license_created(last + ONE_DAY, "13:00:00", "next day", 3, actorId="ana")])
    pipeline.run(Window(last, last + 2 * ONE_DAY))

    assert sessions_credited(pipeline) == [
        (last, ["08:00", "08:00"], 1, 1),
        (last, ["08:00"], 1, 2),
        (last + ONE_DAY, ["08:00", "13:00"], 1, 3),
    ]


def test_every_conversion_is_credited_whole_and_none_by_its_revenue(pipeline: Pipeline) -> None:
    """Worth nothing, without a touch, with touches after it and at the same time; of a bot not at all."""
    bot = {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
    pipeline.land(
        START,
        [
            event(START, "10:00:00", "a", actorId="ana", attribution=EMAIL),
            license_created(START, "10:05:00", "worth 900", 900, actorId="ana"),
            license_created(START, "10:06:00", "worth nothing", None, actorId="ana"),
            event(START, "15:00:00", "after it", actorId="ana", attribution=PAID),
            license_created(START, "11:00:00", "nobody's", 50, source="webhook"),
            license_created(START, "11:00:00", "a bot's", 70, actorId="bot", context=bot),
            event(START, "08:00:00", "b", anonymousId="tablet", attribution=PAID),
            event(START, "08:00:00", "c", anonymousId="desk", attribution=EMAIL),
            event(START, "09:00:00", "d", anonymousId="tablet", actorId="ben"),
            event(START, "09:00:00", "e", anonymousId="desk", actorId="ben"),
            license_created(START, "09:10:00", "after equal times", 7, anonymousId="desk", actorId="ben"),
        ],
    )
    pipeline.run(Window.day(START))

    by_model = pipeline.rows(
        "select model, count(distinct conversion_id), sum(weight), sum(credited_cents) from marts.attribution_credits"
        " group by model order by model"
    )
    assert by_model == [(model, 4, 4, 957) for model in sorted(MODELS)]
    firsts = pipeline.rows(
        "select conversion_cents, count(*), min(channel) from marts.attribution_credits where model = 'first_touch'"
        " group by 1 order by 1"
    )
    assert [(cents, rows) for cents, rows, _ in firsts] == [(0, 1), (7, 1), (50, 1), (900, 1)]
    assert [channel for cents, _, channel in firsts if cents != 7] == ["Email", "Unattributed", "Email"]
    # Two conversions are two, whatever they are worth.
    assert pipeline.rows(
        "select credited_conversions, credited_cents from marts.attribution_daily"
        " where model = 'last_touch' and channel = 'Email'"
    ) == [(2, 900)]
    paths = dict(pipeline.rows("select path, conversions from marts.attribution_paths"))
    assert paths["Unattributed"] == 1
    assert paths["Email"] == 2
    warning = unattributed_conversion_rate_below_threshold(pipeline.connection, Window.day(START))
    assert warning.passed
    assert warning.observed.items() >= {"conversions": 4, "unattributed": 1, "unattributed_cents": 50}.items()


def test_a_closed_attribution_gate_leaves_marts_alone(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """And every cent of spend is in marts for every model: spend that brought nothing, and what its file says later."""
    day = Window.day(START)
    pipeline.land(
        START,
        [
            event(START, "08:00:00", "a", actorId="ana", attribution=PAID),
            event(START, "10:00:00", "b", actorId="ana", attribution=EMAIL),
            license_created(START, "10:05:00", "deal", 1000, actorId="ana"),
        ],
    )
    spend = pipeline.landing / "ad_spend" / "spend.csv"
    spend.parent.mkdir()
    spend.write_text(
        "date,channel,utm_source,utm_medium,utm_campaign,cost_cents\n"
        f"{START},,google,cpc,May,200\n{START},Display,,,,30\n"
    )
    load_ad_spend(pipeline.connection, root=pipeline.landing)
    pipeline.run(day)
    query = (
        "select channel, campaign, cost_cents, credited_cents, roas, cost_per_conversion_cents from marts.roas_daily"
        " where model = 'linear' order by channel"
    )
    expected = [
        ("Display", "(not set)", 30, 0, 0, None),
        ("Email", "may", 0, 500, 0, 0),
        ("Paid Search", "may", 200, 500, 2.5, 400),
    ]
    assert pipeline.rows(query) == expected

    published = pipeline.contents(["marts"])
    build = pipeline.build

    def build_and_lose_a_touch(window: Window, build_id: str) -> None:
        build(window, build_id)
        lost = "delete from build.attribution_credits where model = 'markov' and touch_number = 1"
        assert pipeline.connection.execute(lost).rowcount == 1

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "build", build_and_lose_a_touch)
        with pytest.raises(GateClosed, match="credits_are_conserved"):
            pipeline.run(day, load=False)
    assert pipeline.contents(["marts"]) == published

    spend.write_text(spend.read_text().replace(",200\n", ",250\n"))
    load_ad_spend(pipeline.connection, root=pipeline.landing)
    assert pipeline.catch_up() == [day]
    costs = "select model, sum(cost_cents) from marts.roas_daily group by model order by model"
    assert pipeline.rows(costs) == [(model, 280) for model in sorted(MODELS)]
    assert_found_by_index(pipeline)


def assert_found_by_index(pipeline: Pipeline) -> None:
    """Which touches earned a conversion; and the rows of a day, so that replacing them does not read the others."""
    conversion = "conversion_id = 'c0000000-0000-0000-0000-000000000001'"
    day = f"metric_date >= '{START}' and metric_date < '{SECOND}'"
    pipeline.connection.execute("set enable_seqscan = off")
    for schema in ("build", "marts"):
        for condition, index in ((conversion, "attribution_credits_grain"), (day, "attribution_credits_metric_date")):
            plan = pipeline.rows(f"explain select * from {schema}.attribution_credits where {condition}")
            assert any(index in line for (line,) in plan), plan


def test_an_unknown_path_transform_is_an_error_that_names_the_known_ones(warehouse: Warehouse) -> None:
    window = ["--event-time-start", f"{START}", "--event-time-end", f"{SECOND}"]
    with pytest.raises(AssertionError, match="is 'last'; it has to be one of none, exposure, unique, first, remove_d"):
        run_dbt(warehouse, ["run", *window, "--select", "int_conversion_paths", "--vars",
                            "{attribution_path_transform: last}"])  # fmt: skip
