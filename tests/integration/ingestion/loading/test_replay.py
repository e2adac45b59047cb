"""Rejected lines under today's rules: what is good now becomes an event, everything else stays as it is."""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg
import pytest

from ingestion.encryption.props import PropEncryption
from ingestion.encryption.tokens import new_key
from ingestion.loading import replay
from ingestion.loading.landing_day import load_landing_day
from ingestion.loading.replay import ReplayError, ReplayReport, Selection, replay_rejected
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator, NotTracked, RejectedLine
from tests.integration.ingestion.loading import model
from tests.integration.ingestion.loading.raw_tables import RawTables, event
from tests.support.pipeline import START
from warehouse.window import Window

FIRST = date(2026, 10, 1)
DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)
EVERYTHING = Selection(landing_days=Window(FIRST, date(2026, 11, 1)))
STRICT = re.compile(rb'"x": "(strict|never)"')


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """While it is entered, lines with the prop x "strict" are rejected; those with "never" always are."""
    accept, explain_rejection = LineValidator.accept, LineValidator.explain_rejection

    def strictly(patch: pytest.MonkeyPatch, *values: bytes) -> None:
        def is_rejected(line: bytes) -> bool:
            found = STRICT.search(line)
            return found is not None and found[1] in values

        def accept_some(self: LineValidator, line: bytes) -> ValidEvent | NotTracked | None:
            return None if is_rejected(line) else accept(self, line)

        def reject_some(self: LineValidator, line: bytes) -> RejectedLine | NotTracked:
            if not is_rejected(line):
                return explain_rejection(self, line)
            reasons = (f"props.x: rejected by a rule of {len(values)} values", "props.x: bad")
            return RejectedLine(line.decode(), len(line), reasons)

        patch.setattr(LineValidator, "accept", accept_some)
        patch.setattr(LineValidator, "explain_rejection", reject_some)

    strictly(monkeypatch, b"never")

    @contextmanager
    def entered() -> Iterator[None]:
        with monkeypatch.context() as patch:
            strictly(patch, b"strict", b"never")
            yield

    return entered


def replayed(raw: RawTables, selection: Selection = EVERYTHING, **more: Any) -> list[ReplayReport]:
    return replay_rejected(raw.pipeline.connection, root=raw.landing, start_date=START, selection=selection, **more)


def loaded_from_scratch(raw: RawTables) -> dict[str, list[tuple[str, ...]]]:
    """Return raw and the ledger after everything was loaded from scratch."""
    landed = dict(raw.landed)
    raw.reset()
    for (day, name), lines in landed.items():
        raw.land(day, lines, name.rpartition("/")[2])
    for day in sorted({day for day, _ in landed}):
        raw.load(day)
    return raw_and_ledger(raw)


def raw_and_ledger(raw: RawTables) -> dict[str, list[tuple[Any, ...]]]:
    return {
        **raw.contents(),
        "ledger": raw.rows(
            "select file, checksum, lines_read, accepted, rejected, duplicates, not_tracked, late, event_dates, erased,"
            " dropped_fields, placeholder_ids, hashed_ids"
            " from ops.loads where replaced_by is null order by file"
        ),
    }


def random_line(chance: random.Random, number: int) -> model.Line:
    """Copies, visitors over the limit, late events, rejections, rubbish, and lines that a strict rule rejects."""
    if chance.random() < 0.1:
        return "no JSON"
    props = {"x": chance.choice(["strict", "strict", "free", "free", "never"]), "n": chance.randrange(2)}
    return event(
        f"key-{chance.randrange(12)}" if chance.random() < 0.7 else f"own-{number}",
        chance.choice(["2026-10-01T10:00:30Z", "2026-10-02T10:00:00Z", "2026-10-02T10:00:40Z", "2026-10-03T00:00:00Z"]),
        receivedAt=f"2026-10-03T00:00:{chance.randrange(5):02}Z",
        anonymousId=f"device-{chance.randrange(3)}",
        props=props,
        attribution={
            "utmSource": chance.choice(["", "news", "\u200bNEWS\u00a0"]),
            "referrer": chance.choice(["about:blank", 5, ""]),
        },
        actorId=chance.choice([None, None, "undefined", "NULL"]),
        context={"doNotTrack": chance.random() < 0.05},
    )


@pytest.mark.parametrize("seed", range(6))
def test_after_a_rule_was_relaxed_a_replay_equals_a_load_from_scratch(
    raw: RawTables, strict: Callable[[], Any], limit_of_two: int, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    with strict():
        for day in (DAY, NEXT_DAY):
            for part in range(2):
                raw.land(day, [random_line(chance, 100 * part + n) for n in range(40)], f"part-{part}-{day}.ndjson.gz")
            raw.load(day)
    before = raw.contents()
    replayed(raw)
    raw.assert_ledger_adds_up()
    after = raw_and_ledger(raw)
    assert after["raw.events"] != before["raw.events"]
    everything = raw.everything()
    assert [report.usable for report in replayed(raw)] == [0] * 4
    assert raw.everything() == everything
    assert loaded_from_scratch(raw) == after


def test_a_replayed_line_becomes_an_event_of_its_own_load_and_line(raw: RawTables, strict: Callable[[], Any]) -> None:
    with strict():
        raw.land(
            NEXT_DAY, [event("a", props={"x": "free"}), "", event("b", "2026-10-01T10:00:00Z", props={"x": "strict"})]
        )
        raw.load(NEXT_DAY)
    assert raw.ledger() == {"events/dt=2026-10-03/part-0.ndjson": model.Counts(2, 1, 1, 0, 0)}
    change = raw.last_change()
    (report,) = replayed(raw)
    assert (report.lines_read, report.usable, report.still_rejected, report.event_dates) == (1, 1, 0, (FIRST,))
    assert raw.rows(
        "select event_key, file, line_number from raw.events join ops.loads using (load_id) order by 1"
    ) == [
        ("a", "events/dt=2026-10-03/part-0.ndjson", 1),
        ("b", "events/dt=2026-10-03/part-0.ndjson", 3),
    ]
    assert not raw.rows("table raw.rejected_events")
    assert raw.ledger() == {"events/dt=2026-10-03/part-0.ndjson": model.Counts(2, 2, 0, 0, 0)}
    # The day that gained an event is stale, and no other; the event was late for it.
    assert raw.changed_days(change) == {FIRST}
    assert raw.rows("select event_dates, late from ops.loads") == [([FIRST, DAY], 1)]
    # A correction of the file takes out the replayed event with the rest.
    raw.land(NEXT_DAY, [event("c")])
    raw.load(NEXT_DAY)
    assert raw.keys() == ["c"]
    raw.assert_ledger_adds_up()


def test_a_line_that_is_still_bad_gets_the_reasons_of_today(raw: RawTables, strict: Callable[[], Any]) -> None:
    with strict():
        raw.land(DAY, [event("a", props={"x": "never"}), "no JSON"])
        raw.load(DAY)
    change = raw.last_change()
    (report,) = replayed(raw)
    assert (report.lines_read, report.usable, report.still_rejected) == (2, 0, 2)
    assert raw.rows("select line_number, reasons[1] from raw.rejected_events order by 1") == [
        (1, "props.x: rejected by a rule of 1 values"),
        (2, "line: not JSON"),
    ]
    # No number has changed, so no check has to run again.
    assert raw.last_change() == change
    before = raw.everything()
    replayed(raw)
    assert raw.everything() == before


def test_only_the_chosen_lines_are_replayed(raw: RawTables, strict: Callable[[], Any]) -> None:
    with strict():
        for day in (DAY, NEXT_DAY):
            for part in range(2):
                raw.land(day, [event(f"{day}-{part}", props={"x": "strict"}), "no JSON"], f"{part}.ndjson")
            raw.load(day)
    loads = dict(raw.rows("select file, load_id from ops.loads"))

    def reports(**selection: Any) -> list[tuple[str, int]]:
        return [(report.file[15:], report.lines_read) for report in replayed(raw, Selection(**selection))]

    assert reports(reason="eventType:") == []
    assert reports(reason="props.x: bad", load_id=loads["events/dt=2026-10-03/1.ndjson"]) == [("10-03/1.ndjson", 1)]
    assert raw.keys() == ["2026-10-03-1"]
    assert reports(reason="line:", landing_days=Window.day(NEXT_DAY)) == [("10-03/0.ndjson", 1), ("10-03/1.ndjson", 1)]
    assert raw.keys() == ["2026-10-03-1"]
    assert reports(landing_days=Window.day(NEXT_DAY)) == [("10-03/0.ndjson", 2), ("10-03/1.ndjson", 1)]
    assert raw.keys() == ["2026-10-03-0", "2026-10-03-1"]
    # A percent sign is a percent sign.
    assert reports(reason="%") == []
    assert reports(reason="props.x") == [("10-02/0.ndjson", 1), ("10-02/1.ndjson", 1)]
    raw.assert_ledger_adds_up()


def test_a_replay_without_a_selection_is_an_error() -> None:
    for nothing in ({}, {"reason": ""}, {"reason": None}):
        with pytest.raises(ValueError, match="say which rejected lines"):
            Selection(**nothing)


def test_rate_limited_events_are_no_matter_of_rules(raw: RawTables, limit_of_two: int) -> None:
    raw.land(DAY, [event(f"{n}", anonymousId="device-1") for n in range(4)])
    raw.load(DAY)
    before = raw.everything()
    assert replayed(raw, Selection(reason="rate_limited")) == []
    assert replayed(raw) == []
    assert raw.everything() == before


@pytest.mark.parametrize("damage", ["gone", "changed", "folder"])
def test_a_file_that_is_not_the_loaded_one_is_named_and_nothing_is_changed(
    raw: RawTables, strict: Callable[[], Any], damage: str
) -> None:
    with strict():
        for day in (DAY, NEXT_DAY):
            raw.land(day, [event(f"{day}", props={"x": "strict"})])
            raw.load(day)
    before = raw.everything()
    path = raw.landing / "events" / f"dt={NEXT_DAY}" / "part-0.ndjson"
    if damage == "changed":
        path.write_bytes(path.read_bytes() + b"\n")
    else:
        path.unlink()
    if damage == "folder":
        path.parent.rmdir()
    with pytest.raises(ReplayError, match=r"dt=2026-10-03/part-0\.ndjson.*Nothing was replayed"):
        replayed(raw)
    assert raw.everything() == before
    # The other file's lines can be replayed all the same.
    assert len(replayed(raw, Selection(landing_days=Window.day(DAY)))) == 1
    assert raw.keys() == [f"{DAY}"]


def test_lines_of_replaced_versions_are_not_replayed(raw: RawTables, strict: Callable[[], Any]) -> None:
    with strict():
        raw.land(DAY, [event("a", props={"x": "strict"})])
        raw.load(DAY)
        raw.land(DAY, [event("b")])
        raw.load(DAY)
    before = raw.everything()
    assert replayed(raw) == []
    assert raw.everything() == before


def test_a_person_who_declined_is_taken_out_of_the_rejected_lines(
    raw: RawTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.land(DAY, ["no JSON", event("a")])
    raw.load(DAY)
    with monkeypatch.context() as patch:
        patch.setattr(LineValidator, "accept", lambda *_: NotTracked())
        (report,) = replayed(raw)
    assert report.not_tracked == 1
    assert raw.ledger() == {"events/dt=2026-10-02/part-0.ndjson": model.Counts(2, 1, 0, 0, 1)}
    raw.assert_ledger_adds_up()


def test_a_replay_that_dies_leaves_the_load_as_it_was(
    raw: RawTables, strict: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with strict():
        raw.land(DAY, [event("a", props={"x": "strict"}), event("a", props={"x": "free"}), "no JSON"])
        raw.load(DAY)
    before = raw.everything()
    for module, name in ((replay, "resolve"), (replay.candidates, "CREATE")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, "syntax error")
            with pytest.raises((TypeError, psycopg.errors.SyntaxError)):
                replayed(raw)
        assert raw.everything() == before
    replayed(raw)
    assert raw_and_ledger(raw) == loaded_from_scratch(raw)


def test_a_replayed_event_has_its_named_props_encrypted(raw: RawTables, strict: Callable[[], Any]) -> None:
    encryption = PropEncryption.from_settings("legalName", new_key())
    with strict():
        raw.land(DAY, [event("a", props={"x": "strict", "legalName": "Jane Doe"})])
        load_landing_day(
            raw.pipeline.connection, root=raw.landing, landing_date=DAY, start_date=START, encryption=encryption
        )
    replayed(raw, encryption=encryption)
    assert raw.rows("select props ->> 'x', left(props ->> 'legalName', 10) from raw.events") == [
        ("strict", "encrypted:")
    ]
