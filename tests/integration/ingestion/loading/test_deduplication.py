"""Deduplication: the stored copy of an event, and its duplicates."""

from datetime import date
from typing import Any

import msgspec
import pytest

from ingestion.contract import Attribution
from tests.integration.ingestion.loading import model
from tests.integration.ingestion.loading.raw_tables import RawTables, event

DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)


def stored(raw: RawTables, table: str = "raw.events") -> list[tuple[Any, ...]]:
    amount = "revenue_cents" if table == "raw.events" else "(candidate ->> 'revenue_cents')::bigint"
    return raw.rows(f"select event_key, {amount} from {table} order by 1, 2")


def test_the_copy_received_first_is_stored_whichever_file_comes_first(raw: RawTables) -> None:
    raw.land(NEXT_DAY, [event("a", receivedAt="2026-10-02T10:00:09Z", props={"revenueCents": 9})])
    raw.load(NEXT_DAY)
    raw.land(DAY, [event("a", receivedAt="2026-10-02T10:00:01Z", props={"revenueCents": 1})])
    report = raw.load(DAY)
    assert (report.accepted, report.duplicates) == (1, 0)
    assert stored(raw) == [("a", 1)]
    assert stored(raw, "raw.duplicate_events") == [("a", 9)]
    # The load that was there before now has a duplicate where it had an event.
    assert raw.ledger()["events/dt=2026-10-03/part-0.ndjson"] == model.Counts(1, 0, 0, 1, 0)
    raw.assert_ledger_adds_up()


# Several keys each: what is not decided by the rule would be decided by chance, and not every time in its favour.
KEYS = "abcdefgh"


def test_of_copies_received_together_the_one_that_occurred_first_is_stored(raw: RawTables) -> None:
    lines = [
        event(key, f"2026-10-02T10:00:0{n}Z", receivedAt="2026-10-02T11:00:00Z", props={"revenueCents": n})
        for key in KEYS
        for n in (5, 4)
    ]
    raw.land(DAY, lines)
    raw.load(DAY)
    assert stored(raw) == [(key, 4) for key in KEYS]


def test_of_copies_that_differ_in_content_alone_the_one_of_the_least_hash_is_stored(raw: RawTables) -> None:
    lines = [event(key, props={"revenueCents": n}) for key in KEYS for n in (1, 2)]
    raw.land(DAY, lines)
    raw.load(DAY)
    name = "events/dt=2026-10-02/part-0.ndjson"
    expected = model.settle({(DAY, name): lines}, per_minute=100)
    assert len({copy.line_number % 2 for copy in expected.accepted}) == 2
    raw.assert_is(expected)


def test_without_a_time_of_receipt_the_earlier_landing_day_wins(raw: RawTables) -> None:
    raw.land(NEXT_DAY, [event("a")])
    raw.load(NEXT_DAY)
    raw.land(DAY, [event("a")])
    raw.load(DAY)
    assert raw.rows("select file from raw.events inner join ops.loads using (load_id)") == [
        ("events/dt=2026-10-02/part-0.ndjson",)
    ]


def test_equal_lines_without_a_key_are_one_event(raw: RawTables) -> None:
    raw.land(DAY, [event(), event(), event("a"), event(at="2026-10-02T12:00:00+02:00")])
    report = raw.load(DAY)
    assert (report.accepted, report.duplicates) == (2, 2)


def test_a_key_is_a_key_of_its_day_alone(raw: RawTables) -> None:
    raw.land(NEXT_DAY, [event("a", "2026-10-02T23:59:59.999Z"), event("a", "2026-10-03T00:00:00Z")])
    report = raw.load(NEXT_DAY)
    assert (report.accepted, report.duplicates) == (2, 0)


@pytest.mark.parametrize("winner", [("idempotencyKey", "eventId"), ("eventId", "idempotencyKey")])
def test_an_idempotency_key_counts_before_an_event_id_and_both_name_events(
    raw: RawTables, winner: tuple[str, str]
) -> None:
    raw.land(DAY, [event(**{winner[0]: "same"}), event(**{winner[1]: "same", "props": {"revenueCents": 1}}),
                   event(idempotencyKey="other", eventId="same")])  # fmt: skip
    raw.load(DAY)
    assert raw.keys() == ["other", "same"]
    assert raw.keys("raw.duplicate_events") == ["same"]


def test_copies_are_promoted_one_after_the_other_as_better_ones_go(raw: RawTables) -> None:
    claims = [1, 2, 3]
    for n in claims:
        copy = event(
            "a", receivedAt=f"2026-10-02T10:00:0{n}Z", props={"revenueCents": n}, attribution={"utmSource": f"{n}"}
        )
        raw.land(DAY, [copy], f"{n}.ndjson")
    raw.load(DAY)
    for n in claims:
        assert stored(raw) == [("a", n)]
        assert stored(raw, "raw.duplicate_events") == [("a", other) for other in claims if other > n]
        assert raw.rows("select utm_source from raw.attribution") == [(str(n),)]
        raw.assert_ledger_adds_up()
        raw.land(DAY, [], f"{n}.ndjson")
        raw.load(DAY)
    assert stored(raw) == stored(raw, "raw.duplicate_events") == []
    assert raw.rows("select utm_source from raw.attribution") == []


def test_a_promoted_copy_is_stored_as_if_it_had_never_been_a_duplicate(raw: RawTables) -> None:
    """Every column survives the way through raw.duplicate_events and back."""
    whole = event(
        "a",
        "2026-10-02T10:00:00.123456Z",
        receivedAt="2026-10-02T10:00:09.654321Z",
        eventId="e",
        source="mobile",
        actorId="u",
        actorType="creator",
        anonymousId="\\ \"a\" \n é 🎨",
        sessionId="1b4e28ba-2fa1-41d2-883f-0016d3cca427",
        entityType="License",
        entityId="l",
        ipAssetId="i",
        projectId="p",
        props={"revenueCents": 10**12, "feeCents": 0, "engagementTime": 0.1, "deep": {"list": [1.50, None, "\\"]}},
        attribution={
            "utmSource": "S", "utmMedium": "M\u00a0", "utmCampaign": "C", "utmTerm": "t", "utmContent": "n",
            "referrer": "https://example.org/?q=1", "landingPage": "https://example.com/é",
            **{field.encode_name: f"of {field.name}" for field in msgspec.structs.fields(Attribution)[7:]},
        },
        context={"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1)", "deviceType": "tablet"},
    )  # fmt: skip
    raw.land(DAY, [whole], "a.ndjson")
    raw.land(DAY, [], "b.ndjson")
    raw.load(DAY)
    alone = raw.contents()
    raw.land(DAY, [event("a", receivedAt="2026-10-02T10:00:01Z")], "b.ndjson")
    raw.load(DAY)
    assert raw.contents() != alone
    raw.land(DAY, [], "b.ndjson")
    raw.load(DAY)
    assert raw.contents() == alone


def test_days_are_added_to_a_warehouse_whose_keys_are_indexed_in_another_order(raw: RawTables) -> None:
    """As one that was made before the order changed: a day has one unique index, and it still proves the keys."""
    for table in ("events", "attribution"):
        (name,) = raw.rows(
            "select conname from pg_constraint where contype = 'u' and conrelid = %s::regclass", f"raw.{table}"
        )[0]
        raw.pipeline.connection.execute(
            f"alter table raw.{table} drop constraint {name}, add unique (event_date, event_key)"
        )
    raw.pipeline.connection.commit()
    raw.land(DAY, [event("a", attribution={"utmSource": "x"}), event("a"), event("b")])
    raw.load(DAY)
    assert [key for key, _ in stored(raw)] == ["a", "b"]
    for table in ("events", "attribution"):
        indexes = raw.rows(
            "select pg_get_indexdef(indexrelid) from pg_index where indrelid = %s::regclass", f"raw.{table}_20261002"
        )
        assert [index.partition(" USING ")[2] for (index,) in indexes] == ["btree (event_date, event_key)"]
