"""Credits against raw events and spend: what is conserved passes, and every kind of loss is named by day."""

from datetime import date
from uuid import UUID

import psycopg
import pytest

from quality_checks.attribution import (
    MODELS,
    attribution_adds_up,
    credits_are_conserved,
    unattributed_conversion_rate_below_threshold,
)
from quality_checks.outcome import Severity
from tests.integration.quality_checks.handmade import Rows
from warehouse.window import Window

DAY_1, DAY_2 = date(2026, 10, 1), date(2026, 10, 2)
WINDOW = Window(DAY_1, date(2026, 10, 3))
DEAL, GIFT = UUID(int=101), UUID(int=102)


@pytest.fixture
def built(rows: Rows) -> Rows:
    """A deal of 7 cents over two touches, a day later a gift without one, spend on both days; the rest is outside."""
    rows.event("2026-10-01T12:00:00", event_type="license_created", event_id=DEAL, revenue_cents=7)
    rows.event("2026-10-02T12:00:00", event_type="license_created", event_id=GIFT)
    rows.event("2026-10-01T12:00:00", event_type="license_created", revenue_cents=900, is_bot=True)
    rows.event("2026-10-01T12:00:00", event_type="asset_viewed", revenue_cents=900)
    rows.event("2026-10-03T12:00:00", event_type="license_created", revenue_cents=900)
    rows.execute("insert into raw.ad_spend values (%s, 40), (%s, 2), (%s, 5)", DAY_1, DAY_1, DAY_2)
    rows.execute("insert into build.attribution_paths values (%s, 2, 1, 7), (%s, 0, 1, 0)", DAY_1, DAY_2)
    for model in MODELS:
        for day, conversion, weight, cents, value in (
            (DAY_1, DEAL, "0.333333333334", 3, 7),
            (DAY_1, DEAL, "0.666666666666", 4, 7),
            (DAY_2, GIFT, "1", 0, 0),
        ):
            rows.execute(
                "insert into build.attribution_credits values (%s, %s, %s, %s, %s, %s)",
                *(day, conversion, model, weight, cents, value),
            )
        for day, cents, cost in ((DAY_1, 7, 42), (DAY_2, 0, 5)):
            rows.execute("insert into build.attribution_daily values (%s, %s, 1, %s)", day, model, cents)
            rows.execute("insert into build.roas_daily values (%s, %s, 1, %s, %s)", day, model, cents, cost)
    return rows


def test_what_is_credited_whole_passes(built: Rows, connection: psycopg.Connection) -> None:
    outcome = credits_are_conserved(connection, WINDOW)
    assert (outcome.passed, outcome.severity) == (True, Severity.ERROR)
    assert outcome.observed == {"wrong_credits": 0, "bad_days": 0}
    assert attribution_adds_up(connection, WINDOW).passed


def test_an_empty_window_passes(rows: Rows, connection: psycopg.Connection) -> None:
    assert credits_are_conserved(connection, WINDOW).passed
    assert attribution_adds_up(connection, WINDOW).passed
    assert unattributed_conversion_rate_below_threshold(connection, WINDOW).passed


CREDIT_DAMAGE = {
    "a unit of the last decimal too much": "update {} set weight = weight + 1e-12 where credited_cents = 3",
    "a cent of another touch": "update {} set credited_cents = 4 where credited_cents = 3",
    "a touch that takes away": "insert into {} values ({deal}, 'linear', -1, 0, 7), ({deal}, 'linear', 1, 0, 7)",
    "a value that the event does not have": "update {} set conversion_cents = 8 where credited_cents = 3",
    "a conversion that one model has lost": "delete from {} where conversion_cents = 7",
    "a conversion that no event is": "insert into {} values ({other}, 'linear', 1, 0, 0)",
    "an unknown model": "insert into {} values ({deal}, 'guess', 1, 7, 7)",
}


@pytest.mark.parametrize("damage", CREDIT_DAMAGE)
def test_a_conversion_that_is_not_credited_whole_fails_on_its_day(
    damage: str, built: Rows, connection: psycopg.Connection
) -> None:
    statement = CREDIT_DAMAGE[damage].format(
        "build.attribution_credits", deal=f"'{DAY_1}', '{DEAL}'", other=f"'{DAY_1}', '{UUID(int=999)}'"
    )
    # Of one model, where rows are there already.
    statement += "" if statement.startswith("insert") else " and model = 'linear'"
    built.execute(statement)
    outcome = credits_are_conserved(connection, WINDOW)
    assert outcome.blocks
    assert (outcome.days, outcome.observed["wrong_credits"]) == ((DAY_1,), 1)


def test_a_conversion_that_is_worth_nothing_is_credited_too(built: Rows, connection: psycopg.Connection) -> None:
    built.execute("delete from build.attribution_credits where conversion_id = %s", GIFT)
    outcome = credits_are_conserved(connection, WINDOW)
    assert (outcome.days, outcome.observed["wrong_credits"]) == ((DAY_2,), len(MODELS))
    assert outcome.sample[0].items() >= {"conversion_id": str(GIFT), "cents": 0, "weight": None}.items()


@pytest.mark.parametrize(
    ("mart", "change", "missing"),
    [
        ("attribution_daily", "credited_conversions = 0.999999", ("0.000001000000", 0, 0)),
        ("attribution_daily", "credited_cents = 8", (0, -1, 0)),
        ("attribution_paths", "conversions = 2", (-1, 0, 0)),
        ("attribution_paths", "revenue_cents = 6", (0, 1, 0)),
        ("roas_daily", "credited_conversions = 1.5", ("-0.500000000000", 0, 0)),
        ("roas_daily", "cost_cents = 41", (0, 0, 1)),
    ],
)
def test_a_mart_that_loses_or_finds_anything_fails(
    mart: str, change: str, missing: tuple[object, ...], built: Rows, connection: psycopg.Connection
) -> None:
    only = "" if mart == "attribution_paths" else " and model = 'markov'"
    built.execute(f"update build.{mart} set {change} where metric_date = '2026-10-01'{only}")
    outcome = attribution_adds_up(connection, WINDOW)
    assert outcome.blocks
    assert outcome.days == (DAY_1,)
    [row] = outcome.sample
    assert (row["mart"], row["missing_conversions"], row["missing_cents"], row["missing_spend_cents"]) == (
        mart,
        *missing,
    )


def test_a_day_whose_spend_no_mart_shows_fails(built: Rows, connection: psycopg.Connection) -> None:
    built.execute("delete from build.roas_daily where metric_date = %s and model = 'shapley'", DAY_2)
    outcome = attribution_adds_up(connection, WINDOW)
    assert (outcome.days, outcome.sample[0]["missing_spend_cents"]) == ((DAY_2,), 5)


def test_conversions_without_a_touch_are_counted_and_many_of_them_are_a_warning(
    built: Rows, connection: psycopg.Connection
) -> None:
    outcome = unattributed_conversion_rate_below_threshold(connection, WINDOW)
    assert (outcome.passed, outcome.blocks, outcome.days) == (False, False, (DAY_2,))
    assert outcome.observed.items() >= {"conversions": 2, "unattributed": 1, "unattributed_cents": 0}.items()
    built.execute("insert into build.attribution_paths values (%s, 1, 3, 9)", DAY_2)
    assert unattributed_conversion_rate_below_threshold(connection, WINDOW).passed
