"""Fits on Postgres: which journeys they see, and what they write. The two tables that they read are made by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from attribution import journeys, schema
from attribution.fitting import Fit, fit_missing, fit_week
from attribution.journeys import Journey
from attribution.weeks import FIT_DAYS
from warehouse.window import Window

MONDAY = date(2026, 10, 5)
FIRST_DAY = MONDAY - timedelta(days=FIT_DAYS)
LAST_DAY = MONDAY - timedelta(days=1)


@pytest.fixture
def tables(connection: psycopg.Connection) -> psycopg.Connection:
    """Create the tables of the fits, and the columns they read of the models."""
    schema.create(connection)
    connection.execute(
        """
        create table intermediate.int_sessions
            (session_id uuid, session_date date, visitor_id text, session_started_at timestamptz, channel text);
        create table intermediate.int_conversion_paths
            (conversion_id uuid, conversion_date date, session_id uuid, touch_number integer, channel text)
        """
    )
    return connection


def session(
    connection: psycopg.Connection, number: int, visitor: str, channel: str, day: date = LAST_DAY, hour: int = 12
) -> None:
    started_at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    connection.execute(
        "insert into intermediate.int_sessions values (%s, %s, %s, %s, %s)",
        [UUID(int=number), day, visitor, started_at, channel],
    )


def conversion(
    connection: psycopg.Connection, number: int, touches: Sequence[tuple[int | None, str]], day: date = LAST_DAY
) -> None:
    for touch_number, (session_number, channel) in enumerate(touches, start=1):
        session_id = None if session_number is None else UUID(int=session_number)
        connection.execute(
            "insert into intermediate.int_conversion_paths values (%s, %s, %s, %s, %s)",
            [UUID(int=number), day, session_id, touch_number, channel],
        )


def values(connection: psycopg.Connection) -> dict[tuple[date, str, str], Decimal]:
    rows = connection.execute("select week_start, model, channel, value from intermediate.attribution_channel_values")
    return {(week, model, channel): value for week, model, channel, value in rows}


def fitted(connection: psycopg.Connection, window: Window, version: str = "1") -> list[date]:
    fits = fit_missing(connection, window, build_id="build", model_version=version, log=lambda _: None)
    return [fit.week_start for fit in fits]


def test_a_conversion_is_a_journey_of_its_touches_in_their_order_each_time_it_happens(
    tables: psycopg.Connection,
) -> None:
    conversion(tables, 1, [(11, "Email"), (12, "Email"), (13, "Direct")])
    conversion(tables, 2, [(11, "Email"), (12, "Email"), (13, "Direct"), (14, "Direct")])
    conversion(tables, 3, [(21, "Email"), (22, "Email"), (23, "Direct")])
    assert journeys.read(tables, Window(FIRST_DAY, MONDAY)) == [
        Journey(("Email", "Email", "Direct"), True, 2),
        Journey(("Email", "Email", "Direct", "Direct"), True, 1),
    ]


def test_a_conversion_without_a_touch_is_no_journey(tables: psycopg.Connection) -> None:
    conversion(tables, 1, [(None, "Unattributed")])
    assert journeys.read(tables, Window(FIRST_DAY, MONDAY)) == []


def test_sessions_that_no_conversion_is_credited_to_are_one_journey_a_visitor(tables: psycopg.Connection) -> None:
    session(tables, 12, "anonymous:a", "Direct", hour=9)
    session(tables, 13, "anonymous:a", "Email", hour=9)
    session(tables, 11, "anonymous:a", "Referral", hour=8)
    session(tables, 21, "anonymous:b", "Email")
    session(tables, 31, "anonymous:a", "Direct", FIRST_DAY)
    session(tables, 22, "anonymous:b", "Direct", hour=13)
    conversion(tables, 1, [(22, "Direct")])
    assert journeys.read(tables, Window(FIRST_DAY, MONDAY)) == [
        Journey(("Direct",), True, 1),
        Journey(("Direct", "Referral", "Direct", "Email"), False, 1),
        Journey(("Email",), False, 1),
    ]


def test_a_week_sees_the_90_days_before_it_and_no_other(tables: psycopg.Connection) -> None:
    session(tables, 1, "anonymous:a", "Too early", FIRST_DAY - timedelta(days=1))
    session(tables, 2, "anonymous:a", "First day", FIRST_DAY, hour=0)
    session(tables, 3, "anonymous:a", "Last day", LAST_DAY, hour=23)
    session(tables, 4, "anonymous:a", "Too late", MONDAY, hour=0)
    conversion(tables, 5, [(2, "First day")], MONDAY)
    conversion(tables, 6, [(1, "Too early")], FIRST_DAY - timedelta(days=1))
    conversion(tables, 7, [(1, "Looked back")], FIRST_DAY)
    assert journeys.read(tables, Window(FIRST_DAY, MONDAY)) == [
        Journey(("First day", "Last day"), False, 1),
        Journey(("Looked back",), True, 1),
    ]


def test_before_anything_is_built_there_are_no_journeys(connection: psycopg.Connection) -> None:
    schema.create(connection)
    assert fit_week(connection, MONDAY, build_id="build", model_version="1") == Fit(MONDAY, 0, 0, None)


def test_a_fit_writes_a_value_for_each_channel_and_model_and_says_what_it_saw(tables: psycopg.Connection) -> None:
    """The chain and the game that the unit tests solve on paper."""
    conversion(tables, 1, [(11, "A"), (12, "B")])
    conversion(tables, 2, [(21, "B")])
    session(tables, 31, "anonymous:c", "A")
    session(tables, 41, "anonymous:d", "B")
    assert fit_week(tables, MONDAY, build_id="build", model_version="1") == Fit(MONDAY, 4, 2, None)
    assert values(tables) == {
        (MONDAY, "markov", "A"): Decimal("0.333333333333"),
        (MONDAY, "markov", "B"): Decimal(1),
        (MONDAY, "shapley", "A"): Decimal("0.0625"),
        (MONDAY, "shapley", "B"): Decimal("0.4375"),
    }
    assert tables.execute(
        "select week_start, journeys, converting_journeys, standard_error, build_id from ops.attribution_fits"
    ).fetchall() == [(MONDAY, 4, 2, None, "build")]


def test_a_channel_that_adds_less_than_nothing_is_worth_nothing(tables: psycopg.Connection) -> None:
    conversion(tables, 1, [(11, "A")])
    session(tables, 21, "anonymous:b", "A", hour=1)
    session(tables, 22, "anonymous:b", "B", hour=2)
    fit_week(tables, MONDAY, build_id="build", model_version="1")
    assert values(tables)[MONDAY, "shapley", "B"] == 0


def test_every_week_of_the_window_is_fitted_once(tables: psycopg.Connection) -> None:
    conversion(tables, 1, [(11, "A")])
    assert fitted(tables, Window.day(MONDAY + timedelta(days=2))) == [MONDAY]
    later = [MONDAY + timedelta(days=7), MONDAY + timedelta(days=14)]
    assert fitted(tables, Window(MONDAY, MONDAY + timedelta(days=15))) == later
    assert fitted(tables, Window(MONDAY, MONDAY + timedelta(days=15))) == []
    # A week without a journey has a fit too.
    assert fitted(tables, Window.day(FIRST_DAY)) == [FIRST_DAY - timedelta(days=FIRST_DAY.weekday())]
    assert fitted(tables, Window.day(FIRST_DAY)) == []
    assert {week for week, _, _ in values(tables)} == {MONDAY, *later}


def test_a_week_whose_fit_was_dropped_or_is_of_other_models_is_fitted_anew(tables: psycopg.Connection) -> None:
    window = Window.day(MONDAY)
    conversion(tables, 1, [(11, "A")])
    fitted(tables, window)
    tables.execute("delete from intermediate.int_conversion_paths")
    tables.execute("delete from ops.attribution_fits")
    assert fitted(tables, window) == [MONDAY]
    assert values(tables) == {}
    assert fitted(tables, window, version="2") == [MONDAY]
    assert fitted(tables, window, version="2") == []


def test_the_same_journeys_make_the_same_rows_however_they_are_stored(tables: psycopg.Connection) -> None:
    channels = ["Direct", "Email", "Paid Search", "Organic Search", "Referral", "Display", "Audio"]
    for number in range(60):
        path = [(100 * number + step, channels[(number * step + number) % 7]) for step in range(1, 2 + number % 5)]
        if number % 3:
            conversion(tables, number, path, LAST_DAY - timedelta(days=number))
        else:
            for session_number, channel in path:
                session(tables, session_number, f"anonymous:{number}", channel, LAST_DAY, session_number % 20)
    fit_week(tables, MONDAY, build_id="build", model_version="1")
    before = values(tables)
    for table in ("int_sessions", "int_conversion_paths"):
        tables.execute(
            f"create table intermediate.stored as select * from intermediate.{table} order by md5(session_id::text);"
            f" drop table intermediate.{table}; alter table intermediate.stored rename to {table}"
        )
    fit_week(tables, MONDAY, build_id="build", model_version="1")
    assert values(tables) == before
    assert len(before) == 14


def test_a_run_that_has_lost_the_warehouse_fits_nothing(tables: psycopg.Connection) -> None:
    tables.execute("update ops.writer set build_id = 'later run'")
    tables.execute("select set_config('warehouse.build_id', 'lost run', false)")
    tables.commit()
    with pytest.raises(psycopg.errors.RaiseException, match="lost the warehouse"):
        fit_week(tables, MONDAY, build_id="lost run", model_version="1")
    assert tables.execute("select count(*) from ops.attribution_fits").fetchone() == (0,)
