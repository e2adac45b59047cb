"""Questions without an answer: the exception in Python, its SQLSTATE in SQL, and one sentence that says why."""

from collections.abc import Callable
from datetime import date, datetime

import psycopg
import pytest

from reporting.errors import InvalidDateRange, NotAllowed, NotFound
from reporting.metrics import Metrics
from tests.support.pipeline import START
from tests.support.random_quarter import LAST, QUARTER
from warehouse.connection import Warehouse
from warehouse.window import ONE_DAY

pytestmark = pytest.mark.models
PERIODS = "today, 7d, 30d, 90d, 1y, all"
PUBLISHED = f"ask for days from {START} to {LAST}"


@pytest.fixture
def bi(quarter: Warehouse) -> psycopg.Connection:
    return psycopg.connect(quarter.bi_dsn, autocommit=True)


def refused(connection: psycopg.Connection, query: str, *parameters: object) -> tuple[str | None, str]:
    """The SQLSTATE and the message of a query that fails."""
    with pytest.raises(psycopg.DatabaseError) as error:
        connection.execute(query, parameters)  # type: ignore[arg-type]
    return error.value.sqlstate, error.value.diag.message_primary or ""


RANGES = [
    (LAST, LAST, f"a range starts before it ends, and {LAST} is not before {LAST}"),
    (LAST, START, f"a range starts before it ends, and {LAST} is not before {START}"),
    (START - ONE_DAY, LAST, f"{START - ONE_DAY} is not published: {PUBLISHED}"),
    (date(1, 1, 1), LAST, f"0001-01-01 is not published: {PUBLISHED}"),
    (LAST, QUARTER.end + ONE_DAY, f"{QUARTER.end} is not published: {PUBLISHED}"),
    (date(2030, 1, 1), date(9999, 12, 31), f"2030-01-01 is not published: {PUBLISHED}"),
]
OF_ASSETS = ("asset_metrics", "asset_metrics_totals", "asset_metrics_by_day", "asset_metrics_top_referrers")


def test_a_range_without_an_answer(quarter: Warehouse, bi: psycopg.Connection) -> None:
    with Metrics(quarter.bi_dsn) as metrics:
        for start, end, why in RANGES:
            with pytest.raises(InvalidDateRange) as error:
                metrics.asset_metrics("asset-0", start, end)
            assert str(error.value) == why
            for function in OF_ASSETS:
                assert refused(bi, f"select * from {function}('asset-0', %s, %s)", start, end) == ("WH001", why)


def test_the_first_day_that_is_not_published_is_named(quarter: Warehouse) -> None:
    with quarter.connect(autocommit=True) as owner:
        owner.execute("delete from ops.published_days where event_date in ('2026-11-05', '2026-11-06', '2026-12-01')")
    with Metrics(quarter.bi_dsn) as metrics:
        with pytest.raises(InvalidDateRange, match=r"^2026-11-05 is not published"):
            metrics.asset_metrics("asset-0", START, QUARTER.end)
        answer = metrics.asset_metrics("asset-0", START, QUARTER.end, skip_unpublished=True)
        assert answer.notes == ["days that are not published, and count as nothing: 3"]
        assert len(answer.by_day) == len(QUARTER) - 3
        assert answer.totals.total_views == sum(day.views for day in answer.by_day)


NO_DAYS = ("null, null", "'2026-10-01', null", "'-infinity', '2026-10-02'", "'2026-10-01', 'infinity'")


def test_a_range_of_no_days(bi: psycopg.Connection) -> None:
    for values in NO_DAYS:
        expected = ("WH001", "a range is given by two days, start and end")
        assert refused(bi, f"select asset_metrics('asset-0', {values})") == expected


def test_in_python_a_day_is_a_day(quarter: Warehouse) -> None:
    with Metrics(quarter.bi_dsn) as metrics:
        for value in ("", "yesterday", "2026-13-01", datetime(2026, 10, 1, 12)):  # noqa: DTZ001
            with pytest.raises(InvalidDateRange, match=r"^start and end are days such as .* is none$"):
                metrics.asset_metrics("asset-0", value, LAST)
        midnight = datetime(2026, 10, 2)  # noqa: DTZ001
        assert metrics.asset_metrics("asset-0", "2026-10-01", midnight).end == date(2026, 10, 2)
        with pytest.raises(InvalidDateRange, match=r"and not both$"):
            metrics.asset_metrics("asset-0", START, LAST, period="7d")  # type: ignore[call-overload]


OF_PERIODS: list[tuple[str, Callable[[Metrics, str], object]]] = [
    ("asset_metrics('asset-0', %s)", lambda metrics, period: metrics.asset_metrics("asset-0", period)),
    ("creator_dashboard('creator-0', %s)", lambda metrics, period: metrics.creator_dashboard("creator-0", period)),
    ("brand_campaigns('brand-0', %s)", lambda metrics, period: metrics.brand_campaigns("brand-0", period)),
    ("platform_metrics(%s)", lambda metrics, period: metrics.platform_metrics(period)),
]


def test_a_period_that_does_not_exist(quarter: Warehouse, bi: psycopg.Connection) -> None:
    with Metrics(quarter.bi_dsn) as metrics:
        for period in ("8d", "", "7D", "today'; select 1"):
            why = f'there is no period "{period}": it is one of {PERIODS}'
            for call, ask in OF_PERIODS:
                with pytest.raises(InvalidDateRange) as error:
                    ask(metrics, period)
                assert str(error.value) == why
                assert refused(bi, f"select {call}", period) == ("WH001", why)


def test_before_the_first_publication(warehouse: Warehouse) -> None:
    with Metrics(warehouse.bi_dsn) as metrics:
        for _, ask in OF_PERIODS:
            with pytest.raises(InvalidDateRange, match=r"^no day is published yet$"):
                ask(metrics, "7d")
        with pytest.raises(InvalidDateRange, match=r"^no day is published yet$"):
            metrics.asset_metrics("asset-0", START, LAST)


# One is of an asset that is deleted.
NO_IDS = ("asset-5", "asset-99", "", "%s", "x' or true --", "\u00e9" * 50)
OF_IDS: list[tuple[str, Callable[[Metrics, str], object]]] = [
    ("asset", lambda metrics, of_id: metrics.asset_metrics(of_id, "30d")),
    ("asset", lambda metrics, of_id: metrics.asset_metrics(of_id, START, LAST)),
    ("creator", lambda metrics, of_id: metrics.creator_dashboard(of_id, "30d")),
    ("brand", lambda metrics, of_id: metrics.brand_campaigns(of_id, "30d")),
    ("payout", lambda metrics, of_id: metrics.entity_events(of_id, "payout")),
]


def test_an_id_that_does_not_exist(quarter: Warehouse, bi: psycopg.Connection) -> None:
    with Metrics(quarter.url) as metrics:
        for of_id in NO_IDS:
            for kind, ask in OF_IDS:
                with pytest.raises(NotFound) as error:
                    ask(metrics, of_id)
                assert str(error.value) == f'there is no {kind} "{of_id}"'
            for call in ("asset_metrics(%s, '7d')", "creator_dashboard(%s, '7d')", "brand_campaigns(%s, '7d')"):
                state, message = refused(bi, f"select {call}", of_id)
                assert (state, message.endswith(f'"{of_id}"')) == ("WH002", True)


def test_ids_that_no_database_can_hold(quarter: Warehouse) -> None:
    with Metrics(quarter.bi_dsn) as metrics:
        for of_id in ("asset-0\0", "\ud800"):
            with pytest.raises(NotFound, match=r"^there is no such id: it has characters that no id has$"):
                metrics.asset_metrics(of_id, "7d")
        with pytest.raises(NotFound) as error:
            metrics.creator_dashboard("c" * 1_000_000, "7d")
        assert len(str(error.value)) < 200


def test_events_are_for_engineers(quarter: Warehouse, bi: psycopg.Connection) -> None:
    denied = "^login bi_reader has no right to ask this: permission denied for function entity_events$"
    with Metrics(quarter.bi_dsn) as metrics, pytest.raises(NotAllowed, match=denied):
        metrics.entity_events("asset-0", "asset")
    with Metrics(quarter.url) as owner:
        answer = owner.entity_events("asset-0", "asset", 7)
        moments = [event.occurred_at for event in answer.events]
        assert len(moments) == 7
        assert moments == sorted(moments, reverse=True)
        assert {event.ip_asset_id for event in answer.events} == {"asset-0"}
        assert owner.entity_events("asset-15", "asset").events == [], "an asset of the product without events"
        with pytest.raises(ValueError, match=r"^max_events is between 1 and 10000$"):
            owner.entity_events("asset-0", "asset", 0)
        with pytest.raises(ValueError, match=r"^an entity is of a type \(project, .*\) and has an id$"):
            owner.entity_events("asset-0", "invoice")
