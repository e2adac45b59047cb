"""A warehouse that was loaded before normal forms were stored becomes what a fresh load gives."""

from datetime import date

import pytest

from ingestion import attribution_migration, schema
from ingestion.attribution_table import ATTRIBUTION_COLUMN_NAMES
from ingestion.contract import CLICK_IDS
from tests.integration.ingestion.loading.raw_tables import RawTables

DAY = date(2026, 10, 2)
NEW_COLUMNS = (
    *(name for name in ATTRIBUTION_COLUMN_NAMES if name.endswith("_normalized")),
    *(name for name in CLICK_IDS if name not in ("gclid", "fbclid", "msclkid", "ttclid")),
)
SENT = {
    "odd": {"utmSource": "www.İSTANBUL-Partner.example", "utmMedium": "email\u00a0", "utmCampaign": "Spring_Sale"},
    "blank": {"utmSource": "\u200b", "utmTerm": " Blue\u00a0Shoes"},
    "only a blank term": {"utmTerm": "\u3000"},
    "a click": {"gclid": "g"},
}


def event(key: str, second: int = 0, minute: int = 0, **fields: object) -> dict[str, object]:
    return {
        "eventType": "asset_viewed",
        "occurredAt": f"2026-10-02T10:{minute:02}:00Z",
        "receivedAt": f"2026-10-02T11:00:{second:02}Z",
        "idempotencyKey": key,
        **fields,
    }


def land(raw: RawTables) -> None:
    """Write a stored event and a copy of it that lost for everything that is sent, and one that is rate-limited."""
    raw.land(DAY, [event(key, attribution=sent) for key, sent in SENT.items()], "winners.ndjson")
    raw.land(DAY, [event(key, 1, attribution=sent) for key, sent in SENT.items()], "losers.ndjson")
    burst = [event(f"c{number:03}", minute=5, anonymousId="burst", attribution=SENT["odd"]) for number in range(101)]
    raw.land(DAY, burst, "burst.ndjson")
    raw.load(DAY)


def make_old(raw: RawTables) -> None:
    """Turn what is loaded into what an older version had stored."""
    connection = raw.pipeline.connection
    for key, sent in SENT.items():
        if "utmTerm" in sent:
            connection.execute(
                "insert into raw.attribution (event_date, event_key, event_id, load_id, line_number)"
                " select event_date, event_key, event_id, load_id, line_number from raw.events where event_key = %s"
                " on conflict do nothing",
                [key],
            )
            connection.execute("update raw.attribution set utm_term = %s where event_key = %s", [sent["utmTerm"], key])
            connection.execute(
                "update raw.duplicate_events"
                " set candidate = candidate || jsonb_build_object('utm_term', %s::text) where event_key = %s",
                [sent["utmTerm"], key],
            )
    connection.execute("update raw.duplicate_events set candidate = candidate - %s::text[]", [list(NEW_COLUMNS)])
    connection.execute(
        "update raw.rejected_events set candidate = candidate - %s::text[], line = (candidate - %s::text[])::text",
        [list(NEW_COLUMNS)] * 2,
    )
    connection.execute("update raw.rejected_events set line_bytes = octet_length(line)")
    drops = ", ".join(f"drop column {name}" for name in NEW_COLUMNS)
    connection.execute(f"alter table raw.attribution {drops}")  # type: ignore[arg-type]


def test_days_loaded_before_get_their_normal_forms(raw: RawTables) -> None:
    land(raw)
    fresh = raw.contents()
    assert fresh["raw.duplicate_events"]
    assert fresh["raw.rejected_events"]
    make_old(raw)
    schema.create(raw.pipeline.connection)
    assert attribution_migration.fill_normalized(raw.pipeline.connection) == [DAY]
    assert attribution_migration.fill_normalized(raw.pipeline.connection) == []
    migrated = raw.contents()
    columns = "event_key, utm_term, " + ", ".join(NEW_COLUMNS)
    assert raw.rows(f"select {columns} from raw.attribution where event_key = 'odd'")[0][:5] == (
        "odd", None, "i\u0307stanbul-partner.example", "email", "spring_sale",
    )  # fmt: skip
    # Columns of a migrated table come in another order.
    assert {name: rows for name, rows in migrated.items() if name != "raw.attribution"} == {
        name: rows for name, rows in fresh.items() if name != "raw.attribution"
    }
    everything = "select to_jsonb(a) - '{load_id,line_number}'::text[] from raw.attribution as a order by event_key"
    before = raw.rows(everything)
    raw.lose(DAY, "winners.ndjson")
    raw.land(DAY, [], "winners.ndjson")
    raw.load(DAY)
    # The copies that lost before are promoted with their normal forms.
    assert raw.rows(everything) == before


def test_a_fill_that_died_goes_on_with_the_next_day(raw: RawTables, monkeypatch: pytest.MonkeyPatch) -> None:
    days = (date(2026, 10, 2), date(2026, 10, 3))
    for day in days:
        sent = event("x", attribution=SENT["odd"]) | {
            "occurredAt": f"{day}T10:00:00Z",
            "receivedAt": f"{day}T10:00:00Z",
        }
        raw.land(day, [sent])
        raw.load(day)
    make_old(raw)
    schema.create(raw.pipeline.connection)
    fill = attribution_migration._fill

    def dies(cursor: object, day: date, redact: object) -> None:
        fill(cursor, day, redact)  # type: ignore[arg-type]
        if day == days[1]:
            raise KeyboardInterrupt

    monkeypatch.setattr(attribution_migration, "_fill", dies)
    with pytest.raises(KeyboardInterrupt):
        attribution_migration.fill_normalized(raw.pipeline.connection)
    forms = "select utm_campaign_normalized from raw.attribution order by event_date"
    assert raw.rows(forms) == [("spring_sale",), (None,)]
    monkeypatch.undo()
    assert attribution_migration.fill_normalized(raw.pipeline.connection) == [days[1]]
    assert raw.rows(forms) == [("spring_sale",)] * 2


def test_nothing_waits_in_a_new_warehouse(raw: RawTables) -> None:
    land(raw)
    schema.create(raw.pipeline.connection)
    assert raw.rows("select * from ops.unnormalized_days") == []
