"""Amounts that no column of the marts could hold added up: refused in words that say which rows to correct, on the day
that brings them. A single amount is limited when it is read; what older versions have loaded may be larger.
"""

from datetime import date

import pytest

from ingestion.application.source import ApplicationSchemaError, connect_application
from quality_checks.sums import revenue_fits_its_columns, spend_fits_its_columns
from tests.support import application_tables
from tests.support.pipeline import START, GateClosed, Pipeline
from warehouse.window import ONE_DAY, Window

pytestmark = pytest.mark.models("platform_metrics", "weekly_metrics", "daily_metrics_by_channel")

MOST = 2**63 - 1
LEGAL = 10**12
NEXT = START + ONE_DAY


def conversion(day: date, key: str, cents: int, at: str = "10:00:00") -> dict[str, object]:
    return {
        "eventType": "license_created",
        "occurredAt": f"{day}T{at}Z",
        "idempotencyKey": key,
        "anonymousId": "device",
        "ipAssetId": "asset",
        "props": {"revenueCents": cents},
    }


def make_absurd(pipeline: Pipeline, key: str, column: str = "revenue_cents") -> None:
    """An amount as a version without the limit has loaded it."""
    pipeline.connection.execute(f"update raw.events set {column} = %s where event_key = %s", [MOST, key])  # type: ignore[arg-type]


def revenue(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return pipeline.rows("select metric_date, revenue_cents from marts.platform_daily_metrics order by 1")


def test_a_total_that_does_not_fit_is_refused_on_the_day_that_brings_it_and_names_its_events(
    pipeline: Pipeline,
) -> None:
    pipeline.land(START, [conversion(START, "absurd", 5)])
    pipeline.land(NEXT, [conversion(NEXT, "one cent", 1)])
    pipeline.load(Window.day(START))
    make_absurd(pipeline, "absurd")
    pipeline.run(Window.day(START), load=False)
    assert revenue(pipeline) == [(START, MOST)], "alone it fits"

    with pytest.raises(GateClosed) as closed:
        pipeline.run(Window.day(NEXT))
    [outcome] = closed.value.outcomes
    assert (outcome.name, outcome.days) == ("revenue_fits_its_columns", (NEXT,))
    file = f"events/dt={START}/part-0.ndjson"
    assert outcome.sample[0] == {
        "event_date": str(START), "event_key": "absurd", "file": file, "revenue_cents": MOST
    }  # fmt: skip
    assert "Correct the amounts" in str(outcome.observed["what_to_do"])
    assert revenue(pipeline) == [(START, MOST)]

    pipeline.land(START, [conversion(START, "absurd", 7)])
    pipeline.run(Window(START, NEXT + ONE_DAY))
    assert revenue(pipeline) == [(START, 7), (NEXT, 1)]


def test_legal_amounts_that_add_up_to_too_much_are_refused_from_the_day_on_that_is_too_much(
    pipeline: Pipeline,
) -> None:
    pipeline.land(START, [conversion(START, "first", 1)])
    pipeline.run(Window.day(START))
    # As nine million events of the greatest legal amount would have it.
    pipeline.connection.execute("update marts.platform_daily_metrics set revenue_cents = %s", [MOST - LEGAL])
    days = Window(NEXT, NEXT + 2 * ONE_DAY)
    for day in days.days():
        pipeline.land(day, [conversion(day, f"of {day}", LEGAL)])
    pipeline.load(days)
    assert revenue_fits_its_columns(pipeline.connection, Window.day(NEXT)).passed
    outcome = revenue_fits_its_columns(pipeline.connection, days)
    assert (outcome.blocks, outcome.days) == (True, (NEXT + ONE_DAY,))
    assert outcome.observed["total_cents"] == MOST + LEGAL


def test_what_a_session_has_after_midnight_counts_for_its_day(pipeline: Pipeline) -> None:
    pipeline.land(
        START,
        [conversion(START, "before midnight", 1, "23:59:00"), conversion(NEXT, "after midnight", 1, "00:01:00")],
    )
    pipeline.load(Window.day(START))
    make_absurd(pipeline, "after midnight")
    with pytest.raises(GateClosed) as closed:
        pipeline.run(Window.day(START), load=False)
    [outcome] = closed.value.outcomes
    assert (outcome.name, outcome.days) == ("revenue_fits_its_columns", (START,))
    assert outcome.sample[0]["event_key"] == "after midnight"


def test_fees_of_a_day_have_to_fit_as_well(pipeline: Pipeline) -> None:
    pipeline.land(START, [conversion(START, "one", 1), conversion(START, "two", 1)])
    pipeline.load(Window.day(START))
    for key in ("one", "two"):
        make_absurd(pipeline, key, "fee_cents")
    outcome = revenue_fits_its_columns(pipeline.connection, Window.day(START))
    assert (outcome.blocks, outcome.days) == (True, (START,))
    assert outcome.sample[0]["fee_cents"] == MOST


def test_a_spend_that_does_not_fit_names_table_and_id(pipeline: Pipeline) -> None:
    pipeline.connection.execute(
        "insert into raw.licenses (id, fee_cents, version_hash, observed_date, is_removed, change_id)"
        " select 'l' || n, %s, '', %s, false, n from generate_series(1, 2) as n",
        [MOST, START],
    )
    window = Window.day(START)
    outcome = spend_fits_its_columns(pipeline.connection, window)
    assert (outcome.blocks, outcome.days) == (True, (START,))
    assert [(row["table_name"], row["id"]) for row in outcome.sample] == [("licenses", "l1"), ("licenses", "l2")]
    # Two versions of one license are one fee.
    pipeline.connection.execute("update raw.licenses set id = 'l1'")
    assert spend_fits_its_columns(pipeline.connection, window).passed

    pipeline.connection.execute(
        "insert into raw.ad_spend (spend_date, utm_source, cost_cents, load_id, line_number)"
        " select %s, 'source ' || n, %s, 1, n from generate_series(1, 2) as n",
        [START, MOST],
    )
    outcome = spend_fits_its_columns(pipeline.connection, window)
    assert (outcome.blocks, outcome.days) == (True, (START,))
    assert outcome.sample[0]["table_name"] == "ad_spend"


@pytest.mark.parametrize(
    ("table", "column"), [("licenses", "fee_cents"), ("payouts", "amount_cents"), ("projects", "budget_cents")]
)
def test_an_absurd_amount_of_the_product_is_named_and_nothing_is_read(
    pipeline: Pipeline, table: str, column: str
) -> None:
    assert pipeline.warehouse.application_url is not None

    def say(cents: int) -> None:
        with connect_application(pipeline.warehouse.application_url or "") as application:
            application.execute(application_tables.DDL)
            application.execute(f"delete from {table}")  # type: ignore[arg-type]
            application.execute(f"insert into {table} (id, {column}) values ('x', %s)", [cents])  # type: ignore[arg-type]

    for cents in (LEGAL + 1, -LEGAL - 1, -(2**63)):
        say(cents)
        with pytest.raises(ApplicationSchemaError, match=rf"table {table} has .* id x: {column} = {cents}"):
            pipeline.read_application(START)
        assert pipeline.rows(f"select count(*) from raw.{table}") == [(0,)]
    say(LEGAL)
    pipeline.read_application(START)
    assert pipeline.rows(f"select {column} from raw.{table}") == [(LEGAL,)]
