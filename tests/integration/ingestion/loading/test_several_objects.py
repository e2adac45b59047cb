"""Events without line ends between them, joined files with byte order marks, and where their rows are found again."""

import gzip
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from ingestion import schema
from ingestion.loading.replay import Selection, replay_rejected
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator, NotTracked
from tests.integration.ingestion.loading import model
from tests.integration.ingestion.loading.raw_tables import RawTables, event
from tests.support.pipeline import START

DAY = date(2026, 10, 2)
MARK = b"\xef\xbb\xbf"
FILE = "events/dt=2026-10-02/part-0.ndjson"


def places(raw: RawTables, table: str = "raw.events") -> list[tuple[Any, ...]]:
    return raw.rows(f"select event_key, line_number, line_position from {table} order by 2, 3")


def of(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() for each in events)


def test_objects_without_line_ends_are_events_with_places_of_their_own(raw: RawTables) -> None:
    raw.land(DAY, [tuple(event(f"a{n}", anonymousId=f"d{n}") for n in range(6)), event("b"), (event("c"), event("d"))])
    report = raw.load(DAY)
    raw.assert_is(model.settle(raw.landed, per_minute=100))
    assert (report.lines_read, report.accepted) == (9, 9)
    assert places(raw) == [*((f"a{n}", 1, n + 1) for n in range(6)), ("b", 2, 1), ("c", 3, 1), ("d", 3, 2)]


@pytest.mark.parametrize("name", ["part-0.ndjson", "part-0.ndjson.gz"])
def test_joined_files_lose_no_first_line_to_their_byte_order_marks(raw: RawTables, name: str) -> None:
    members = [MARK + b"".join(of(event(f"{part}-{n}")) + b"\n" for n in range(3)) for part in "abc"]
    unended = MARK + of(event("d")), MARK + of(event("e"))
    path = raw.landing / f"events/dt={DAY}" / name
    path.parent.mkdir(parents=True)
    parts = [*members, *unended, b"\n" + MARK + b"\n"]
    path.write_bytes(b"".join(gzip.compress(part) if name.endswith(".gz") else part for part in parts))
    report = raw.load(DAY)
    assert (report.lines_read, report.accepted, report.rejected) == (11, 11, 0)
    assert ("b-0", 4, 1) in places(raw)
    assert ("e", 10, 2) in places(raw)


def test_records_that_begin_with_a_separator_are_events(raw: RawTables) -> None:
    raw.pipeline.land(DAY, [b"\x1e" + of(event("a")), b"\x1e" + of(event("b")) + b"\x1e" + of(event("c"))])
    assert raw.load(DAY).accepted == 3


def test_the_remainder_behind_the_last_object_of_a_line_is_one_rejected_row(raw: RawTables) -> None:
    rest = of({"eventType": "asset_viewed"})[:-3] + b"x" * 9_000
    raw.pipeline.land(DAY, [of(event("a"), event("b", eventType="No Type")) + rest, of(event("c"))])
    report = raw.load(DAY)
    assert (report.lines_read, report.accepted, report.rejected) == (4, 2, 2)
    raw.assert_ledger_adds_up()
    (_, _, first), (position, line_bytes, second) = raw.rows(
        "select line_position, line_bytes, reasons[1] from raw.rejected_events order by line_position"
    )
    assert first.startswith("eventType:")
    assert (position, line_bytes) == (3, len(rest))
    assert second == "line: not JSON from here on; the objects before it were read"
    ((kept,),) = raw.rows("select octet_length(line) from raw.rejected_events where line_position = 3")
    assert kept < 5_000


def test_each_object_of_a_line_is_validated_as_a_line_of_its_own(raw: RawTables) -> None:
    raw.land(DAY, [(
        event("a", anonymousId="v"), event("b", anonymousId="v", context={"doNotTrack": True}),
        event("a", receivedAt="2026-10-02T10:00:00Z", anonymousId="v"), event("c", anonymousId="v"),
    )])  # fmt: skip
    raw.load(DAY)
    raw.assert_is(model.settle(raw.landed, per_minute=100))
    assert raw.ledger() == {FILE: model.Counts(4, 2, 0, 1, 1)}
    assert places(raw) == [("a", 1, 3), ("c", 1, 4)]
    assert places(raw, "raw.duplicate_events") == [("a", 1, 1)]


def test_copies_that_are_equal_in_all_that_counts_are_ranked_by_their_position(raw: RawTables) -> None:
    raw.land(DAY, [(event("a"), event("a"), event("a"))])
    raw.load(DAY)
    assert places(raw) == [("a", 1, 1)]
    assert places(raw, "raw.duplicate_events") == [("a", 1, 2), ("a", 1, 3)]


def test_an_array_in_one_line_stays_one_rejected_line(raw: RawTables) -> None:
    raw.pipeline.land(DAY, [of(event("a")), b"[" + of(event("b")) + b"," + of(event("c")) + b"]"])
    report = raw.load(DAY)
    assert (report.lines_read, report.accepted, report.rejected) == (2, 1, 1)


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Refuse every event of a key that begins with x until this is called."""
    accept = LineValidator.accept
    with_rule = pytest.MonkeyPatch()

    def accept_some(self: LineValidator, line: bytes) -> ValidEvent | NotTracked | None:
        return None if b'"x' in line else accept(self, line)

    with_rule.setattr(LineValidator, "accept", accept_some)
    return with_rule.undo


def test_replayed_objects_are_found_again_by_their_places(raw: RawTables, strict: Callable[[], None]) -> None:
    raw.land(DAY, [(event("a"), event("x1"), event("x2")), event("b"), (event("x3"), event("c"))])
    raw.load(DAY)
    assert raw.keys() == ["a", "b", "c"]
    strict()
    (report,) = replay_rejected(
        raw.pipeline.connection, root=raw.landing, start_date=START, selection=Selection(reason="line:")
    )
    assert (report.lines_read, report.usable) == (3, 3)
    raw.assert_is(model.settle(raw.landed, per_minute=100))


def test_a_line_that_was_rejected_whole_is_replayed_object_by_object(raw: RawTables) -> None:
    """As a warehouse has it that was loaded before objects without line ends were events."""
    line = of(event("a"), event("b"), event("c", context={"doNotTrack": 1}), event("d", eventType="No Type")) + b"!"
    raw.pipeline.land(DAY, [of(event("e")), line])
    raw.load(DAY)
    expected = raw.contents(), raw.ledger()
    raw.pipeline.connection.execute("delete from raw.events where line_number = 2")
    raw.pipeline.connection.execute("delete from raw.rejected_events")
    raw.pipeline.connection.execute(
        "insert into raw.rejected_events (line, line_bytes, reasons, load_id, line_number)"
        " select 'cut', %s, '{\"line: not JSON\"}', load_id, 2 from ops.loads",
        [len(line)],
    )
    raw.pipeline.connection.execute("update ops.loads set lines_read = 2, accepted = 1, rejected = 1, not_tracked = 0")
    selection = Selection(reason="line: not JSON")
    connection = raw.pipeline.connection
    replay_rejected(connection, root=raw.landing, start_date=START, selection=selection)
    assert (raw.contents(), raw.ledger()) == expected
    everything = raw.everything()
    replay_rejected(connection, root=raw.landing, start_date=START, selection=selection)
    assert raw.everything() == everything


def test_tables_without_positions_get_them_in_place_and_keep_their_rows(raw: RawTables) -> None:
    connection = raw.pipeline.connection
    raw.land(DAY, [event("a", attribution={"utmSource": "x"}), event("a"), "no JSON"])
    raw.load(DAY)
    before = raw.everything()
    for table in ("events", "attribution", "duplicate_events", "rejected_events"):
        connection.execute(f"alter table raw.{table} drop column line_position")  # type: ignore[arg-type]
        if table.endswith("d_events") or table.startswith("dup"):
            connection.execute(f"alter table raw.{table} add primary key (load_id, line_number)")  # type: ignore[arg-type]
    schema.create(connection)
    assert raw.everything() == before
    raw.land(DAY, [(event("a"), event("b"), event("a")), "no JSON"])
    raw.load(DAY)
    raw.assert_is(model.settle(raw.landed, per_minute=100))
