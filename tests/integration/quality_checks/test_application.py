"""A warning about fees that the product has changed in place: counted, shown, never in the way of publication."""

from datetime import date

import psycopg
import pytest

from ingestion.application import schema as application_schema
from quality_checks.application import license_fees_unchanged
from tests.integration.quality_checks.handmade import Rows
from warehouse.window import Window

WINDOW = Window(date(2026, 10, 1), date(2026, 10, 3))


@pytest.fixture
def licenses(rows: Rows, connection: psycopg.Connection) -> Rows:
    """A warehouse that knows a license of the product with an unchanged fee, and others by the versions given."""
    application_schema.create(connection)
    version(rows, "same", 1, 500)
    version(rows, "same", 2, 500, status="expired")
    return rows


def version(rows: Rows, license_id: str, number: int, fee_cents: int | None, **changed: object) -> None:
    """A version of a license, seen on the day of its number."""
    values = {"version_hash": b"", "observed_date": date(2026, 9, number), "is_removed": False, "change_id": number}
    rows.insert(("raw", "licenses"), {"id": license_id, "fee_cents": fee_cents, **values, **changed})


def test_fees_that_stay_or_come_back_or_go_with_their_license_pass(
    licenses: Rows, connection: psycopg.Connection
) -> None:
    for number, fee_cents in enumerate((100, 200, 100), 1):
        version(licenses, "back again", number, fee_cents)
    version(licenses, "gone", 1, 100)
    version(licenses, "gone", 2, 900)
    version(licenses, "gone", 3, 900, is_removed=True)
    version(licenses, "free", 1, None)
    version(licenses, "free", 2, None, status="expired")
    outcome = license_fees_unchanged(connection, WINDOW)
    assert outcome.passed
    assert outcome.observed == {"licenses": 0, "cents": 0}


def test_fees_that_changed_in_place_are_counted_latest_first(licenses: Rows, connection: psycopg.Connection) -> None:
    for number, fee_cents in enumerate((100, 100, 250, 300), 1):
        version(licenses, "dearer", number, fee_cents, status=str(number))
    # The first fee that is known is the first one, and another one later is a change.
    version(licenses, "now known", 1, None)
    version(licenses, "now known", 2, 40)
    version(licenses, "now another", 1, None)
    version(licenses, "now another", 2, 40)
    version(licenses, "now another", 5, 50)
    version(licenses, "cheaper", 3, 70)
    version(licenses, "cheaper", 4, 0)
    outcome = license_fees_unchanged(connection, WINDOW)
    assert not outcome.passed
    assert not outcome.blocks
    assert outcome.days == (date(2026, 10, 2),)
    assert outcome.observed == {"licenses": 3, "cents": 200 + 10 - 70}
    names = ("license_id", "first_fee_cents", "fee_cents", "first_observed_date")
    assert [tuple(row[name] for name in names) for row in outcome.sample] == [
        ("now another", 40, 50, "2026-09-05"),
        ("cheaper", 70, 0, "2026-09-04"),
        ("dearer", 100, 300, "2026-09-03"),
    ]
