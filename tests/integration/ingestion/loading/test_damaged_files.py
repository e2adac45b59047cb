"""Bad input: each with a clear message, and nothing that was sent or stored is lost."""

import gzip
import json
import os
import tracemalloc
from datetime import date
from typing import Any

import pytest

from ingestion.landing.files import LandingError
from ingestion.loading.landing_day import load_window
from ingestion.validation.validator import LineValidator
from tests.integration.ingestion.loading import model
from tests.integration.ingestion.loading.raw_tables import RawTables, event
from tests.support.pipeline import START
from warehouse.window import Window

DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)
MEGABYTE = 1024 * 1024


def test_a_line_that_is_no_json_is_rejected_with_its_place_and_its_neighbours_are_loaded(raw: RawTables) -> None:
    path = raw.pipeline.land(DAY, [event("a"), "", '{"eventType": "asset_viewed"', event("b")])
    report = raw.load(DAY)
    assert (report.lines_read, report.accepted, report.rejected) == (3, 2, 1)
    ((line, reasons, file, number),) = raw.rows(
        "select line, reasons, file, line_number from raw.rejected_events inner join ops.loads using (load_id)"
    )
    assert line == '{"eventType": "asset_viewed"'
    assert len(reasons) == 1
    assert "JSON" in reasons[0]
    assert (raw.landing / file, number) == (path, 3)


def test_a_line_that_breaks_several_rules_is_rejected_with_every_reason(raw: RawTables) -> None:
    raw.land(DAY, [{"eventType": "Asset Viewed", "occurredAt": "yesterday", "source": "fax"}])
    raw.load(DAY)
    ((reasons,),) = raw.rows("select reasons from raw.rejected_events")
    assert [reason.partition(":")[0] for reason in sorted(reasons)] == ["eventType", "occurredAt", "source"]


@pytest.mark.parametrize("spoil", ["truncated", "corrupt", "not gzip"])
def test_a_damaged_gzip_file_is_named_and_nothing_of_its_landing_day_is_loaded(raw: RawTables, spoil: str) -> None:
    raw.land(DAY, [event("a"), event("b")], "part-1.ndjson.gz")
    raw.load(DAY)
    before = raw.everything()
    whole = gzip.compress(b"".join(json.dumps(event(str(n))).encode() + b"\n" for n in range(5000)))
    spoiled = {
        "truncated": whole[: len(whole) // 2],
        "corrupt": whole[:1000] + b"\0" * 1000 + whole[2000:],
        "not gzip": gzip.decompress(whole),
    }
    (raw.landing / f"events/dt={DAY}/part-1.ndjson.gz").write_bytes(spoiled[spoil])
    raw.land(DAY, [event("c")], "part-0.ndjson")
    with pytest.raises(LandingError, match=r"dt=2026-10-02/part-1\.ndjson\.gz.*gzip"):
        raw.load(DAY)
    assert raw.everything() == before
    # Written again, whole, the day loads as if nothing had been.
    raw.land(DAY, [event("d")], "part-1.ndjson.gz")
    raw.load(DAY)
    assert raw.keys() == ["c", "d"]


def test_a_damaged_day_keeps_the_days_before_it_loaded(raw: RawTables) -> None:
    raw.land(DAY, [event("a")])
    raw.land(NEXT_DAY, [event("b")])
    (raw.landing / f"events/dt={NEXT_DAY}/part-1.ndjson.gz").write_bytes(b"\x1f\x8b")
    said = r"part-1\.ndjson\.gz is a damaged .*\. Landing day 2026-10-03 is tried again when something in its folder"
    with pytest.raises(LandingError, match=said):
        load_window(raw.pipeline.connection, root=raw.landing, window=Window(DAY, date(2026, 10, 4)), start_date=START)
    assert raw.keys() == ["a"]


def test_a_touched_file_of_the_same_content_is_not_loaded_again(raw: RawTables) -> None:
    raw.land(DAY, [event("a"), "no JSON"])
    raw.load(DAY)
    before = raw.everything()
    path = raw.landing / f"events/dt={DAY}/part-0.ndjson"
    for _ in range(2):
        os.utime(path, (2_000_000_000, 2_000_000_000))
        report = raw.load(DAY)
        assert (report.loaded, report.lines_read) == ((), 0)
    # Also when it was rewritten.
    path.write_bytes(path.read_bytes())
    assert raw.load(DAY).loaded == ()
    assert raw.everything() == before


def test_a_bomb_is_named_and_a_long_reading_tells_how_far_it_is(
    raw: RawTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.landing.progress.PROGRESS_SECONDS", 0)
    monkeypatch.setattr("ingestion.landing.limits.ALWAYS_ALLOWED_BYTES", 4_000_000)
    (raw.landing / f"events/dt={DAY}").mkdir()
    (raw.landing / f"events/dt={DAY}/bomb.ndjson.gz").write_bytes(gzip.compress(b"\n" * 9_000_000))
    messages: list[str] = []
    with pytest.raises(LandingError, match=r"bomb\.ndjson\.gz unpacks to more than 200 times its size"):
        load_window(
            raw.pipeline.connection,
            root=raw.landing,
            window=Window.day(DAY),
            start_date=START,
            on_progress=messages.append,
        )
    assert "bomb.ndjson.gz" in messages[0]


@pytest.mark.parametrize("name", ["empty.ndjson", "empty.ndjson.gz", "blank.ndjson"])
def test_an_empty_file_is_loaded_and_has_a_ledger_row_of_zeros(raw: RawTables, name: str) -> None:
    raw.land(DAY, ["", "  "] if name.startswith("blank") else [], name)
    report = raw.load(DAY)
    assert report.loaded == (f"events/dt=2026-10-02/{name}",)
    assert raw.ledger() == {f"events/dt=2026-10-02/{name}": model.Counts(0, 0, 0, 0, 0)}
    assert raw.load(DAY).unchanged == report.loaded


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_a_file_that_is_not_utf8_is_rejected_line_by_line_and_loads_beside_good_ones(
    raw: RawTables, encoding: str
) -> None:
    text = "".join(json.dumps(event(f"é{n}"), ensure_ascii=False) + "\n" for n in range(3))
    (raw.landing / f"events/dt={DAY}").mkdir()
    (raw.landing / f"events/dt={DAY}/foreign.ndjson").write_bytes(text.encode(encoding))
    raw.land(DAY, [event("a")])
    report = raw.load(DAY)
    assert raw.keys() == ["a"]
    assert report.rejected >= 3
    assert report.lines_read == report.accepted + report.rejected
    raw.assert_ledger_adds_up()
    reasons = {reason for (found,) in raw.rows("select reasons from raw.rejected_events") for reason in found}
    assert any("UTF-8" in reason for reason in reasons), reasons


def test_a_line_of_50_megabytes_is_rejected_without_being_held_in_memory(raw: RawTables) -> None:
    path = raw.landing / f"events/dt={DAY}/long.ndjson"
    path.parent.mkdir()
    with path.open("wb") as file:
        file.write(json.dumps(event("a")).encode() + b'\n{"eventType": "')
        for _ in range(50):
            file.write(b"x" * MEGABYTE)
        file.write(b'"}\n' + json.dumps(event("b")).encode() + b"\n")
    tracemalloc.start()
    try:
        report = raw.load(DAY)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (report.accepted, report.rejected) == (2, 1)
    assert peak < 10 * MEGABYTE
    ((size, kept, reasons, number),) = raw.rows(
        "select line_bytes, octet_length(line), reasons, line_number from raw.rejected_events"
    )
    assert (size, number) == (50 * MEGABYTE + 17, 2)
    assert kept < 5000
    assert "longer than" in reasons[0]


def test_many_long_lines_are_not_held_in_memory_together(raw: RawTables) -> None:
    path = raw.landing / f"events/dt={DAY}/long.ndjson"
    path.parent.mkdir()
    line = b'{"eventType": "' + b"x" * 65_000 + b'"}\n'
    with path.open("wb") as file:
        for _ in range(600):
            file.write(line)
    tracemalloc.start()
    try:
        report = raw.load(DAY)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.rejected == 600
    assert peak < 25 * MEGABYTE


@pytest.mark.parametrize("name", ["part-0.ndjson", "part-0.ndjson.gz"])
def test_a_file_that_changes_while_it_is_read_is_named_and_not_loaded(
    raw: RawTables, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = raw.pipeline.land(DAY, [event("a"), event("b")], name)
    accept = LineValidator.accept
    written = []

    def write_more(self: LineValidator, content: bytes) -> Any:
        if not written:
            written.append(True)
            more = json.dumps(event("c")).encode() + b"\n"
            with path.open("ab") as file:
                file.write(gzip.compress(more) if name.endswith(".gz") else more)
        return accept(self, content)

    before = raw.everything()
    with monkeypatch.context() as patch:
        patch.setattr(LineValidator, "accept", write_more)
        with pytest.raises(LandingError, match=r"part-0\.ndjson.* changed while it was read"):
            raw.load(DAY)
    assert raw.everything() == before
    raw.load(DAY)
    assert raw.keys() == ["a", "b", "c"]


@pytest.mark.parametrize(
    "line",
    [
        b'{"eventType":"a","occurredAt":"2026-10-02T10:00:00Z","anonymousId":"\x00"}',
        b'{"eventType":"a","occurredAt":"2026-10-02T10:00:00Z","anonymousId":"\\u0000"}',
        b'{"eventType":"a","occurredAt":"2026-10-02T10:00:00Z","props":{"k":"\\u0000"}}',
        b'{"eventType":"a","occurredAt":"2026-10-02T10:00:00Z","props":{"\\u0000":1}}',
        b'{"eventType":"a","occurredAt":"2026-10-02T10:00:00Z","props":{"k":"\\ud800"}}',
        b'{"eventType":"a","occurredAt":"2026-10-02T10:00:00Z","props":{"k":"\xff"}}',
        b'{"eventType":"a","occurredAt":"2026-10-02T10:00:00Z","props":{"k":1e999}}',
        b'{"eventType":"a","occurredAt":"2026-10-02T10:00:00Z","props":{"k":NaN}}',
        b'{"eventType":"a","occurredAt":"9999-12-31T23:59:59-23:59"}',
        b'{"eventType":"a","occurredAt":"0001-01-01T00:00:00+23:59"}',
        b"\x00",
        b"\xff\xfe",
        b"[" * 100_000,
        b'"\\ud800"',
        b"null",
        b"\\.",
        b"\\N\t\\N",
    ],
)
def test_no_line_stops_a_load(raw: RawTables, line: bytes) -> None:
    raw.pipeline.land(DAY, [event("a"), line, event("b")])
    report = raw.load(DAY)
    assert (report.lines_read, report.accepted, report.rejected) == (3, 2, 1)
    assert raw.keys() == ["a", "b"]


def test_values_at_their_limits_are_stored(raw: RawTables) -> None:
    wide = "🎨" * 255
    raw.land(DAY, [
        event(wide, anonymousId=wide, actorId=wide, entityType="asset", entityId=wide, props={"feeCents": 10**12}),
        event(wide, anonymousId=wide, actorId=wide, props={"engagementTime": 1_000_000_000, "k": 1e38, "t": "\\x"}),
    ])  # fmt: skip
    report = raw.load(DAY)
    assert (report.accepted, report.duplicates) == (1, 1)
    assert raw.rows("select event_key, anonymous_id, actor_id from raw.events") == [(wide,) * 3]
