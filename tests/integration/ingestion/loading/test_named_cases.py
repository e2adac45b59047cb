"""Lines that have broken other loaders, each loaded alone and all of them together, as Postgres has them afterwards."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from ingestion.loading.landing_day import load_landing_day
from ingestion.utm_normalization import normalized_detail, normalized_name, normalized_source
from tests.integration.ingestion.loading.raw_tables import RawTables

DAY = date(2026, 10, 2)
PLAIN = b'{"eventType":"page_viewed","occurredAt":"2026-10-02T10:00:00Z","idempotencyKey":"plain"}'

# What SQL, COPY, LIKE, format strings, shells and arrays could stumble over.
INJECTIONS = (
    "'; drop table raw.events; --",
    '"; drop table raw.events; --',
    "$$; drop schema raw cascade; $$",
    "\\'; truncate ops.loads; --",
    "Robert'); delete from raw.events;--",
    "' or '1'='1",
    "E'\\x27'",
    "%s %(event_key)s %% {} {0} {event_key}",
    "\\.",
    "\\N",
    "\\copy raw.events from program 'id'",
    "{a,b}",
    '{"a":[1]}',
    "a\tb\nc\rd\x0be\x1f",
    "NULL",
    "null",
    "\x7f\x80\u200b\u202e\ufeff\ufffe\U0001f600",
    "$(id) `id`",
    "../../etc/hosts",
)


def line(**fields: Any) -> bytes:
    """A good line with these fields changed."""
    return json.dumps({**json.loads(PLAIN), **fields}, ensure_ascii=False).encode("utf-8", "surrogatepass")


def props(text: str) -> bytes:
    """A good line whose props are this JSON text."""
    return PLAIN[:-1] + b',"props":' + text.encode() + b"}"


@dataclass(frozen=True)
class Case:
    """A line, and its reasons (none: it is accepted and what was sent is what is stored)."""

    name: str
    line: bytes
    reasons: tuple[str, ...] = ()
    stored_props: Any = None


TOO_LARGE = "line: a number too large to be read"
OUT_OF_RANGE = "props: a number beyond 1e38"
NUL = "line: a NUL character (\\u0000) in a key or a text"
NUL_BYTES = "line: NUL bytes; a file in UTF-16 has them, write UTF-8"
SURROGATE = "line: a lone surrogate (\\ud800 to \\udfff) in a key or a text"
TWICE = "line: a key is given twice in one object"
NOT_JSON = "line: not JSON"
EARLY = "occurredAt: before the warehouse's start date"
LATE = "occurredAt: more than 24 hours after receivedAt"
NEVER = "occurredAt: not a time that exists in the years 0001 to 9999, UTC"
LEAP_SECOND = "occurredAt: a leap second; send second 59"
TOO_DEEP = "line: nested too deeply to be read"
NO_TIME = "occurredAt: not a date and time in ISO-8601, such as 2026-10-01T09:30:00.123Z"

CASES = (
    Case("NUL in a value", props('{"a":"x\\u0000y"}'), (NUL,)),
    Case("NUL in a key", props('{"a\\u0000":1}'), (NUL,)),
    Case("NUL in an id", line(actorId="\0"), (NUL,)),
    Case("NUL at the top level", line(**{"\0": 1}), (NUL,)),
    Case("a NUL byte in a text", PLAIN.replace(b"plain", b"pl\0in"), (NUL_BYTES,)),
    Case("a NUL byte behind the line", PLAIN + b"\0", (NUL_BYTES,)),
    Case("nothing but NUL bytes", b"\0\0\0", (NUL_BYTES,)),
    Case("an escaped backslash before u0000", props('{"a":"\\\\u0000"}'), stored_props={"a": "\\u0000"}),
    Case("high surrogate alone", props('{"a":"\\ud800"}'), (SURROGATE,)),
    Case("low surrogate alone", props('{"a":"\\udc00x"}'), (SURROGATE,)),
    Case("surrogates the wrong way round", props('{"a":"\\udc00\\ud800"}'), (SURROGATE,)),
    Case("lone surrogate in a key", props('{"\\ud800":1}'), (SURROGATE,)),
    Case("lone surrogate in an id", PLAIN.replace(b"plain", b"\\udfff"), (SURROGATE,)),
    Case("lone surrogate in bytes", line(actorId="\ud800"), ("line: not UTF-8",)),
    Case("a pair of surrogates", props('{"a":"\\ud83d\\ude00"}'), stored_props={"a": "😀"}),
    Case("UTF-16", PLAIN.decode().encode("utf-16-be"), (NUL_BYTES,)),
    Case("Latin-1", PLAIN.replace(b"plain", "é".encode("latin-1")), ("line: not UTF-8",)),
    Case("overlong UTF-8", PLAIN.replace(b"plain", b"\xc0\x80"), ("line: not UTF-8",)),
    Case("10^308", props('{"a":1e308}'), (OUT_OF_RANGE,)),
    Case("-10^308 in a list", props('{"a":[-1e308]}'), (OUT_OF_RANGE,)),
    Case("10^308 in digits", props('{"a":1' + "0" * 308 + "}"), (OUT_OF_RANGE,)),
    Case("10^309", props('{"a":1e309}'), (TOO_LARGE, OUT_OF_RANGE)),
    Case("10^999999999", props('{"a":1e999999999}'), (TOO_LARGE, OUT_OF_RANGE)),
    Case("10,000 digits", props('{"a":' + "9" * 10_000 + "}"), (TOO_LARGE, OUT_OF_RANGE)),
    Case("10^-308 and 10^-400", props('{"a":[1e-308,1e-400]}'), stored_props={"a": [1e-308, 0.0]}),
    Case("10^38", props('{"a":[1e38,-1e38]}'), stored_props={"a": [10**38, -(10**38)]}),
    Case("2^63", props('{"a":9223372036854775808}'), stored_props={"a": 2**63}),
    Case("2^63 - 1 and -2^63", props('{"a":[9223372036854775807,-9223372036854775808]}'),
         stored_props={"a": [2**63 - 1, -(2**63)]}),
    Case("cents of 10^308", props('{"revenueCents":1e308}'),
         ("props.revenueCents: not a whole number of cents from 0 to 1000000000000", OUT_OF_RANGE)),
    Case("seconds of 10^308", props('{"engagementTime":1e308}'),
         ("props.engagementTime: not seconds from 0 to 1000000000", OUT_OF_RANGE)),
    Case("NaN", props('{"a":NaN}'), (NOT_JSON,)),
    Case("Infinity", props('{"a":-Infinity}'), (NOT_JSON,)),
    Case("duplicate key", PLAIN[:-1] + b',"idempotencyKey":"other"}', (TWICE,)),
    Case("duplicate key with one value", PLAIN[:-1] + b',"idempotencyKey":"plain"}', (TWICE,)),
    Case("duplicate key in props", props('{"a":1,"a":2}'), (TWICE,)),
    Case("duplicate key by an escape", props('{"a":1,"\\u0061":2}'), (TWICE,)),
    Case("duplicate key far inside", props('{"a":[{"b":1,"b":1}]}'), (TWICE,)),
    Case("one key in two objects", props('{"a":{"a":{"b":1}},"b":1}'), stored_props={"a": {"a": {"b": 1}}, "b": 1}),
    Case("one field in two forms", line(idempotency_key="other"), stored_props={}),
    Case("a required field in two forms", line(event_type="other"),
         ("eventType: given twice with different values, also as event_type",)),
    Case("year 0001", line(occurredAt="0001-01-01T00:00:00Z"), (EARLY,)),
    Case("year 0001, in UTC the year before", line(occurredAt="0001-01-01T00:00:00+14:00"), (NEVER,)),
    Case("year 0000", line(occurredAt="0000-01-01T00:00:00Z"), (NEVER,)),
    Case("year 9999", line(occurredAt="9999-12-31T23:59:59.999999Z"), (LATE,)),
    Case("year 9999, in UTC the year after", line(occurredAt="9999-12-31T23:59:59-14:00"), (NEVER,)),
    Case("received in the year 9999", line(receivedAt="9999-12-31T23:59:59Z"),
         ("receivedAt: more than 24 hours after the end of the landing day",)),
    Case("received in the year 0001", line(receivedAt="0001-01-01T00:00:00Z"), (LATE,)),
    Case("year 10000", line(occurredAt="10000-01-01T00:00:00Z"), (NO_TIME,)),
    Case("leap second", line(occurredAt="2026-10-01T23:59:60Z"), (LEAP_SECOND,)),
    Case("leap second of another zone", line(occurredAt="2026-10-02T01:59:60+02:00"), (LEAP_SECOND,)),
    Case("second 61", line(occurredAt="2026-10-01T23:59:61Z"), (NEVER,)),
    Case("29 February of no leap year", line(occurredAt="2026-02-29T00:00:00Z"), (NEVER,)),
    Case("hour 24", line(occurredAt="2026-10-01T24:00:00Z"), (NEVER,)),
    Case("a number instead of a time", line(occurredAt=1_790_000_000), (NO_TIME,)),
    Case("no offset", line(occurredAt="2026-10-02T10:00:00"), ("occurredAt: no offset",)),
    Case("100,000 brackets", b'{"a":' + b"[" * 100_000, (TOO_DEEP,)),
    Case("100,000 objects", b'{"a":' * 100_000, (TOO_DEEP,)),
    Case("1,000 levels of props", props("[" * 1_000 + "]" * 1_000), (TOO_DEEP,)),
    Case("a formula of a spreadsheet", props('{"a":"=cmd|\' /C calc\'!A0"}'), stored_props={"a": "=cmd|' /C calc'!A0"}),
    *(Case(f"injection {text!r}", line(props={"note": text, "x" + text: 1}), stored_props={"note": text, "x" + text: 1})
      for text in INJECTIONS),
)  # fmt: skip


def stored(raw: RawTables) -> list[tuple[Any, ...]]:
    """Every line that was loaded, by its number: its reasons, or null and its props."""
    return raw.rows(
        "select line_number, null::text[], props from raw.events"
        " union all select line_number, reasons, null from raw.rejected_events order by 1"
    )


def expected(case: Case) -> tuple[Any, ...]:
    return (list(case.reasons) if case.reasons else None), case.stored_props


def test_each_case_is_stored_or_rejected_for_its_reason(raw: RawTables) -> None:
    found = {}
    for case in CASES:
        raw.land(DAY, [case.line])
        raw.load(DAY)
        found[case.name] = [row[1:] for row in stored(raw)]
    assert found == {case.name: [expected(case)] for case in CASES}


def test_all_cases_in_one_file_keep_out_of_each_others_way(raw: RawTables) -> None:
    # Each with a key of its own where it has the key of all.
    lines = [case.line.replace(b'"plain"', b'"key-%d"' % number) for number, case in enumerate(CASES)]
    raw.land(DAY, [*lines, PLAIN])
    report = raw.load(DAY)
    assert stored(raw) == [
        *((number, *expected(case)) for number, case in enumerate(CASES, 1)),
        (len(CASES) + 1, None, {}),
    ]
    accepted = 1 + sum(not case.reasons for case in CASES)
    assert (report.lines_read, report.accepted, report.rejected) == (
        len(CASES) + 1,
        accepted,
        len(CASES) + 1 - accepted,
    )
    raw.assert_ledger_adds_up()


def as_id(text: str) -> str:
    """Return an id that holds a text: null alone is a placeholder, and outer blanks do not count."""
    return f"{text} as an id" if text.casefold() == "null" else text.strip()


def test_no_text_means_anything_in_any_column(raw: RawTables) -> None:
    """Ids, keys, attribution and device fields, also by way of the JSON of a copy that is promoted."""
    ids = ("actorId", "anonymousId", "entityId", "ipAssetId", "projectId", "licenseId", "idempotencyKey")
    events = [
        {
            **json.loads(PLAIN),
            **dict.fromkeys(ids, as_id(text)),
            "entityType": "brand",
            "attribution": dict.fromkeys(
                ("utmSource", "utmMedium", "utmCampaign", "utmTerm", "utmContent", "gclid"), text
            ),
            "context": dict.fromkeys(("deviceType", "browser", "os"), text),
        }
        for text in INJECTIONS
    ]
    raw.land(DAY, [event | {"receivedAt": "2026-10-02T11:00:00Z"} for event in events], "copies.ndjson")
    raw.load(DAY)
    raw.land(DAY, [event | {"receivedAt": "2026-10-02T10:00:00Z"} for event in events], "winners.ndjson")
    raw.load(DAY)
    assert raw.keys("raw.duplicate_events") == sorted(map(as_id, INJECTIONS))
    raw.land(DAY, [], "winners.ndjson")
    raw.load(DAY)
    assert sorted(
        raw.rows(
            "select actor_id, anonymous_id, entity_id, ip_asset_id, project_id, license_id, event_key, device_type,"
            " browser, os from raw.events"
        )
    ) == sorted((*(as_id(text),) * 7, *(text,) * 3) for text in INJECTIONS)
    assert sorted(
        raw.rows(
            "select utm_source, utm_medium, utm_campaign, utm_term, utm_content, gclid, event_key from raw.attribution"
        )
    ) == sorted((text, text, text, *[normalized_detail(text)] * 2, text.strip(), as_id(text)) for text in INJECTIONS)
    assert sorted(raw.rows("select utm_source_normalized, utm_campaign_normalized from raw.attribution")) == sorted(
        (normalized_source(text), normalized_name(text)) for text in INJECTIONS
    )
    assert raw.keys("raw.duplicate_events") == []


def test_the_first_day_of_the_calendar_has_a_partition_where_a_warehouse_begins_with_it(raw: RawTables) -> None:
    first, last = line(occurredAt="0001-01-01T00:00:00Z"), line(occurredAt="0001-12-31T23:59:59.999999Z")
    raw.land(DAY, [first, last])
    load_landing_day(raw.pipeline.connection, root=raw.landing, landing_date=DAY, start_date=date.min)
    # Each in a partition of its own.
    assert raw.rows(
        "select event_date, (occurred_at at time zone 'UTC')::text, count(*) over (partition by tableoid)"
        " from raw.events order by 1"
    ) == [
        (date.min, "0001-01-01 00:00:00", 1),
        (date(1, 12, 31), "0001-12-31 23:59:59.999999", 1),
    ]
