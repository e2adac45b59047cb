"""Fields of valid events that do not count: left out, counted in the ledger, and warned of above a bound."""

import json
from datetime import date

import psycopg
import pytest

from ingestion import schema
from quality_checks.events_input import (
    dropped_field_rate_below_threshold,
    placeholder_id_rate_below_threshold,
    sessions_stay_on_one_device,
)
from tests.integration.ingestion.loading.raw_tables import RawTables, event
from warehouse.window import Window

DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)
NIL = "00000000-0000-0000-0000-000000000000"
URL = "not a URL (scheme://...) of at most 8192 characters, or empty; http(s) with a host"


def counts(raw: RawTables) -> list[tuple[object, ...]]:
    return raw.rows("select dropped_fields, placeholder_ids, hashed_ids from ops.loads where replaced_by is null")


def test_dropped_fields_and_placeholders_are_counted_by_field_and_reason(raw: RawTables) -> None:
    lines = [
        event("a", attribution={"referrer": "about:blank"}, sessionId="s-1"),
        event(
            "b",
            attribution={"referrer": "http://", "landingPage": "capacitor://localhost/a"},
            receivedAt="2026-10-02T10:30:00Z",
        ),
        # A duplicate has its fields counted as well; the reasons of a rejected line are stored with the line.
        event("b", attribution={"referrer": "http://"}, receivedAt="2026-10-02T11:00:00Z"),
        event("c", props="text", anonymousId="Undefined", actorId=" null "),
        event("undefined", sessionId=NIL),
        event("d", eventType="No Type", attribution={"referrer": "about:blank"}),  # rejected lines count elsewhere
    ]
    raw.land(DAY, lines)
    report = raw.load(DAY)
    dropped = {
        "attribution.referrer": {URL: 3},
        "props": {"not an object": 1},
        "sessionId": {"not a UUID": 1},
    }
    placeholders = {"actorId": 1, "anonymousId": 1, "idempotencyKey": 1, "sessionId": 1}
    assert counts(raw) == [(dropped, placeholders, {})]
    assert (report.dropped_fields, report.placeholder_ids, report.hashed_ids) == (dropped, placeholders, {})
    assert (report.accepted, report.duplicates, report.rejected) == (4, 1, 1)
    assert raw.rows("select referrer, landing_page from raw.attribution") == [(None, "capacitor://localhost/a")]
    raw.land(DAY, lines[:1])
    raw.load(DAY)
    assert counts(raw) == [({"attribution.referrer": {URL: 1}, "sessionId": {"not a UUID": 1}}, {}, {})]
    raw.assert_ledger_adds_up()


def test_a_descriptive_field_that_cannot_be_stored_is_dropped_and_its_event_stays(raw: RawTables) -> None:
    # JavaScript makes half an emoji when it cuts a text.
    half = "launch \ud83d"
    lines = [
        event("a", attribution={"utmSource": "news", "utmCampaign": half}, props={"revenueCents": 700}),
        event("b", attribution={"utm_campaign": "nul\0", "referrer": "https://x.example/"}, context={"browser": half}),
        event("c", sessionId=half, props={"userAgent": half, "path": "/"}),
        event("d", attribution=half, context=half),
        event("e", props={"title": half}, attribution={"utmCampaign": half}),
        event(half),
        event("f", eventType="No Type", attribution={"utmCampaign": half}),
    ]
    raw.land(DAY, [json.dumps(line).encode() for line in lines])
    report = raw.load(DAY)
    assert report.dropped_fields == {
        "attribution": {"not an object": 1},
        "attribution.utmCampaign": {"not a text of at most 255 characters": 2},
        "context": {"not an object": 1},
        "context.browser": {"not a text of at most 255 characters": 1},
        "props.userAgent": {"not a text": 1},
        "sessionId": {"not a UUID": 1},
    }
    assert (report.accepted, report.rejected) == (4, 3)
    assert raw.rows("select event_key, revenue_cents, browser from raw.events order by event_key") == [
        ("a", 700, None), ("b", None, None), ("c", None, None), ("d", None, None),
    ]  # fmt: skip
    assert raw.rows("select utm_source, utm_campaign, referrer from raw.attribution order by event_key") == [
        ("news", None, None),
        (None, None, "https://x.example/"),
    ]
    surrogate = "line: a lone surrogate (\\ud800 to \\udfff) in a key or a text"
    event_type = "eventType: not 1 to 100 characters of a-z, 0-9 and _, starting with a letter"
    assert raw.rows("select reasons from raw.rejected_events order by line_number") == [
        ([surrogate],), ([surrogate],), ([event_type],),
    ]  # fmt: skip
    raw.assert_ledger_adds_up()


def test_events_that_share_a_placeholder_are_neither_copies_nor_limited(raw: RawTables, limit_of_two: int) -> None:
    stranger = {"anonymousId": "undefined", "sessionId": NIL, "actorId": "0"}
    lines = [event("undefined", f"2026-10-02T10:00:{second:02}Z", **stranger) for second in range(9)]
    raw.land(DAY, lines)
    report = raw.load(DAY)
    assert (report.accepted, report.duplicates, report.rejected) == (9, 0, 0)
    assert raw.rows("select distinct actor_id, anonymous_id, session_id from raw.events") == [(None, None, None)]
    # The next file is held against the events that are stored.
    raw.land(DAY, [event("null", "2026-10-02T10:00:30Z", **stranger), lines[0]], "part-1.ndjson")
    report = raw.load(DAY)
    assert (report.accepted, report.duplicates, report.rejected) == (1, 1, 0)


def test_amounts_without_a_fraction_are_loaded_as_whole_cents(raw: RawTables) -> None:
    texts = ("129900.0", "1.299e5", "129900", "null", "129900.5", '"129900"', "1e12", "1000000000001", str(2**63 - 1))
    raw.land(
        DAY,
        [
            json.dumps(event(f"f-{place}", props={"revenueCents": "X"})).replace('"X"', text)
            for place, text in enumerate(texts)
        ],
    )
    raw.load(DAY)
    assert raw.rows("select event_key, revenue_cents from raw.events order by event_key") == [
        ("f-0", 129_900),
        ("f-1", 129_900),
        ("f-2", 129_900),
        ("f-3", None),
        ("f-6", 10**12),
    ]
    rejected = raw.rows("select distinct reasons from raw.rejected_events")
    assert rejected == [(["props.revenueCents: not a whole number of cents from 0 to 1000000000000"],)]


def test_people_who_declined_leave_nothing_but_a_count(raw: RawTables) -> None:
    raw.land(
        DAY,
        [
            event("dnt-1", anonymousId="d3", context={"doNotTrack": 1.0}),
            event("dnt-6", anonymousId="d8", context={"doNotTrack": "Yes"}),
            event("dnt-8", anonymousId="d10", source="Web", context={"doNotTrack": True}),
            event("dnt-9", anonymousId="d11", eventType="No Type", doNotTrack="maybe"),
            '{"anonymousId":"d12","props":{"do_not_track":true},"x":1,"x":2}',
        ],
    )
    report = raw.load(DAY)
    assert (report.lines_read, report.not_tracked, report.accepted, report.rejected) == (5, 5, 0, 0)
    assert raw.contents() == {table: [] for table in raw.contents()}


def test_a_check_warns_of_a_field_that_is_often_dropped_and_of_placeholders(
    raw: RawTables, connection: psycopg.Connection
) -> None:
    def days(check: object, share: float) -> tuple[date, ...]:
        outcome = check(connection, Window(DAY, NEXT_DAY))  # type: ignore[operator]
        assert (outcome.severity.name, outcome.observed["allowed_share"]) == ("WARNING", share)
        return tuple(outcome.days)

    raw.land(DAY, [event(f"good-{n}") for n in range(95)] + [event(f"bad-{n}", sessionId="s") for n in range(5)])
    raw.land(DAY, [event(f"fine-{n}") for n in range(99)] + [event("one", actorId="nil")], "part-1.ndjson")
    raw.load(DAY)
    assert days(dropped_field_rate_below_threshold, 0.05) == ()
    assert days(placeholder_id_rate_below_threshold, 0.01) == ()
    raw.land(DAY, [event(f"more-{n}", sessionId="s", actorId="0") for n in range(7)], "part-2.ndjson")
    raw.load(DAY)
    assert days(dropped_field_rate_below_threshold, 0.05) == (DAY,)
    assert days(placeholder_id_rate_below_threshold, 0.01) == (DAY,)
    (sample,) = dropped_field_rate_below_threshold(connection, Window(DAY, NEXT_DAY)).sample
    assert sample == {"landing_date": "2026-10-02", "field": "sessionId", "events": 12, "lines_read": 207}


def test_a_check_warns_of_a_session_that_several_devices_use_on_a_day(
    raw: RawTables, connection: psycopg.Connection
) -> None:
    own, shared = "1b4e28ba-2fa1-41d2-883f-0016d3cca427", "2b4e28ba-2fa1-41d2-883f-0016d3cca427"
    raw.land(
        DAY,
        [
            event("a", anonymousId="one", sessionId=own),
            event("b", anonymousId="one", sessionId=own),
            event("c", anonymousId=None, actorId="user-1", sessionId=own),
            event("d", "2026-10-01T10:00:00Z", anonymousId="two", sessionId=own),
        ],
    )
    raw.load(DAY)
    window = Window(date(2026, 10, 1), NEXT_DAY)
    assert sessions_stay_on_one_device(connection, window).passed
    raw.land(NEXT_DAY, [event(f"e-{n}", anonymousId=f"device-{n}", sessionId=shared) for n in range(3)])
    raw.load(NEXT_DAY)
    outcome = sessions_stay_on_one_device(connection, window)
    assert (outcome.passed, outcome.blocks, outcome.days) == (False, False, (DAY,))
    assert outcome.sample == ({"event_date": "2026-10-02", "devices": 3, "events": 3},)


def test_a_ledger_from_before_has_its_columns_added_in_place(raw: RawTables) -> None:
    connection = raw.pipeline.connection
    raw.land(DAY, [event("a")])
    raw.load(DAY)
    connection.execute(
        "alter table ops.loads drop column erased cascade, drop column dropped_fields cascade,"
        " drop column placeholder_ids cascade, drop column hashed_ids cascade"
    )
    schema.create(connection)
    assert raw.rows("select lines_read, erased, dropped_fields, placeholder_ids, hashed_ids from ops.loads") == [
        (1, 0, {}, {}, {})
    ]
    raw.land(NEXT_DAY, [event("b", actorId="undefined")])
    raw.load(NEXT_DAY)
    raw.assert_ledger_adds_up()


@pytest.mark.parametrize("field", ["landing_page", "referrer"])
def test_addresses_of_apps_are_kept(raw: RawTables, field: str) -> None:
    raw.land(DAY, [event("a", attribution={field: "capacitor://localhost/assets/1"})])
    raw.load(DAY)
    assert raw.rows(f"select {field} from raw.attribution") == [("capacitor://localhost/assets/1",)]
