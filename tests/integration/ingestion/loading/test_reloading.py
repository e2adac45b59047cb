"""A file that is loaded again, corrected, emptied, or gone."""

import os
from datetime import date, timedelta

import psycopg
import pytest

from ingestion.landing import reading
from ingestion.landing.files import LandingFile
from ingestion.loading import load_log
from tests.integration.ingestion.loading import model
from tests.integration.ingestion.loading.raw_tables import RawTables, event

DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)


def test_reloading_a_file_changes_nothing(raw: RawTables) -> None:
    raw.land(DAY, [event("a"), event("a", props={"revenueCents": 1}), "no JSON", event("b", "2026-10-01T10:00:00Z")])
    raw.land(DAY, [event("c", attribution={"utmSource": "x"})], "part-1.ndjson.gz")
    first = raw.load(DAY)
    before = raw.everything()
    again = raw.load(DAY)
    assert raw.everything() == before
    assert again.loaded == ()
    assert again.unchanged == first.loaded
    assert (again.lines_read, again.accepted, again.event_dates) == (0, 0, ())


@pytest.fixture
def read_again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose bytes were looked at to see whether they have changed."""
    names: list[str] = []
    checksum = reading.checksum

    def record(file: LandingFile) -> str:
        names.append(file.entry.own_name)
        return checksum(file)

    monkeypatch.setattr(reading, "checksum", record)
    return names


@pytest.fixture
def no_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are taken for settled as soon as they are written, on a system whose clock ticks once in 4 ms."""
    monkeypatch.setattr(load_log, "_TICK", timedelta(0))


@pytest.mark.usefixtures("no_tick")
def test_a_file_that_lies_as_it_was_loaded_is_not_read_again(raw: RawTables, read_again: list[str]) -> None:
    raw.land(DAY, [event("a")])
    raw.load(DAY)
    read_again.clear()
    assert raw.load(DAY).unchanged == ("events/dt=2026-10-02/part-0.ndjson",)
    assert read_again == []


def test_a_file_that_was_just_written_is_read_again(
    raw: RawTables, read_again: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_log, "_TICK", timedelta(hours=1))
    raw.land(DAY, [event("a")])
    raw.load(DAY)
    assert read_again == []
    for _ in range(2):
        raw.load(DAY)
    assert read_again == ["part-0.ndjson"] * 2


@pytest.mark.usefixtures("no_tick")
@pytest.mark.parametrize("keeps_time", [False, True])
def test_a_corrected_file_of_the_same_size_is_noticed(raw: RawTables, keeps_time: bool) -> None:
    raw.land(DAY, [event("a")])
    path = raw.landing / "events" / f"dt={DAY}" / "part-0.ndjson"
    before = path.stat()
    raw.load(DAY)
    raw.land(DAY, [event("b")])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + (0 if keeps_time else 1_000_000)))
    assert path.stat().st_size == before.st_size
    assert raw.load(DAY).loaded == ("events/dt=2026-10-02/part-0.ndjson",)
    assert raw.keys() == ["b"]


@pytest.mark.usefixtures("no_tick")
def test_a_file_that_was_only_copied_again_is_read_once(raw: RawTables, read_again: list[str]) -> None:
    raw.land(DAY, [event("a")])
    raw.load(DAY)
    read_again.clear()
    path = raw.landing / "events" / f"dt={DAY}" / "part-0.ndjson"
    os.utime(path, ns=(0, 0))
    for _ in range(2):
        assert raw.load(DAY).unchanged == ("events/dt=2026-10-02/part-0.ndjson",)
    assert read_again == ["part-0.ndjson"]


def rows_of_other_files(raw: RawTables) -> list[list[tuple[str]]]:
    return [
        raw.rows(
            f"select t::text from {table} as t inner join ops.loads using (load_id) where file <> %s order by 1",
            "events/dt=2026-10-02/part-0.ndjson",
        )
        for table in ("raw.events", "raw.rejected_events")
    ]


def test_a_corrected_file_replaces_exactly_its_own_rows(raw: RawTables) -> None:
    raw.land(DAY, [event("a"), event("b"), event("c"), "no JSON", event("a", props={"revenueCents": 1})])
    raw.land(DAY, [event("d"), "no JSON either"], "part-1.ndjson")
    raw.land(NEXT_DAY, [event("e")])
    raw.load(DAY)
    raw.load(NEXT_DAY)
    before = rows_of_other_files(raw)

    raw.land(DAY, [event("b", props={"revenueCents": 7}), event("f")])
    report = raw.load(DAY)

    assert report.loaded == ("events/dt=2026-10-02/part-0.ndjson",)
    assert report.unchanged == ("events/dt=2026-10-02/part-1.ndjson",)
    assert raw.keys() == ["b", "d", "e", "f"]
    assert raw.rows("select revenue_cents from raw.events where event_key = 'b'") == [(7,)]
    assert rows_of_other_files(raw) == before
    assert raw.rows("select line from raw.rejected_events") == [("no JSON either",)]
    raw.assert_ledger_adds_up()


def test_a_correction_back_to_the_first_version_restores_it(raw: RawTables) -> None:
    raw.land(DAY, [event("a"), event("b")])
    raw.load(DAY)
    first = raw.contents()
    raw.land(DAY, [event("b")])
    raw.load(DAY)
    raw.land(DAY, [event("a"), event("b")])
    raw.load(DAY)
    assert raw.contents() == first
    assert raw.rows("select count(*), count(replaced_by) from ops.loads") == [(3, 2)]


def test_the_ledger_names_the_next_version_of_every_replaced_one(raw: RawTables) -> None:
    for content in ([event("a")], [event("b")], []):
        raw.land(DAY, content)
        raw.load(DAY)
    versions = raw.rows("select load_id, replaced_by, lines_read from ops.loads order by load_id")
    first, second, third = (load_id for load_id, _, _ in versions)
    assert versions == [(first, second, 1), (second, third, 1), (third, None, 0)]


def test_a_file_corrected_to_be_empty_withdraws_its_rows_and_promotes_their_copies(raw: RawTables) -> None:
    raw.land(DAY, [event("a"), event("b")])
    copy = event("a", receivedAt="2026-10-03T09:00:00Z", props={"revenueCents": 5}, attribution={"utmSource": "x"})
    raw.land(DAY, [copy], "part-1.ndjson")
    raw.load(DAY)
    assert raw.keys() == ["a", "b"]
    assert raw.keys("raw.duplicate_events") == ["a"]

    raw.land(DAY, [])
    report = raw.load(DAY)

    assert raw.rows("select event_key, revenue_cents from raw.events") == [("a", 5)]
    assert raw.rows("select event_key, utm_source from raw.attribution") == [("a", "x")]
    assert raw.keys("raw.duplicate_events") == []
    # The copy's own load has gained an event by this.
    assert raw.ledger()["events/dt=2026-10-02/part-1.ndjson"] == model.Counts(1, 1, 0, 0, 0)
    # The day that lost an event was touched, though no line names it any more.
    assert report.event_dates == (DAY,)
    raw.assert_ledger_adds_up()


@pytest.mark.parametrize("remove", ["file", "day"])
def test_a_file_that_vanished_is_reported_and_its_rows_stay(raw: RawTables, remove: str) -> None:
    raw.land(DAY, [event("a")])
    raw.land(DAY, [event("b")], "part-1.ndjson")
    raw.load(DAY)
    before = raw.everything()
    folder = raw.landing / "events" / f"dt={DAY}"
    (folder / "part-0.ndjson").unlink()
    gone = ["events/dt=2026-10-02/part-0.ndjson"]
    if remove == "day":
        (folder / "part-1.ndjson").unlink()
        folder.rmdir()
        gone.append("events/dt=2026-10-02/part-1.ndjson")
    assert list(raw.load(DAY).missing) == gone
    assert raw.everything() == before


def test_a_landing_day_without_files_is_loaded_as_nothing(raw: RawTables) -> None:
    before = raw.everything()
    report = raw.load(DAY)
    assert (report.loaded, report.unchanged, report.missing, report.lines_read) == ((), (), (), 0)
    assert raw.everything() == before


def test_an_event_is_of_the_day_it_occurred_in_utc(raw: RawTables) -> None:
    raw.land(
        NEXT_DAY,
        [
            event("old", "2026-10-02T23:59:59.999999Z"),
            event("new", "2026-10-03T00:00:00Z"),
            event("old, from the east", "2026-10-03T01:59:59.999999+02:00"),
            event("new, from the east", "2026-10-03T02:00:00+02:00"),
            event("old, from the west", "2026-10-02T13:59:59-10:00"),
            event("new, from the west", "2026-10-02T14:00:00-10:00"),
        ],
    )
    raw.load(NEXT_DAY)
    stored = raw.rows("select event_key, event_date, (occurred_at at time zone 'UTC')::date from raw.events")
    assert sorted(stored) == sorted(
        (f"{age}{where}", day, day)
        for age, day in (("old", DAY), ("new", NEXT_DAY))
        for where in ("", ", from the east", ", from the west")
    )


def test_no_session_setting_of_the_server_moves_an_event(raw: RawTables) -> None:
    """Copies and limited events are stored by way of JSON, which writes times in the session's zone."""
    raw.pipeline.connection.execute("set timezone = 'Asia/Kathmandu'")
    raw.pipeline.connection.execute("set datestyle = 'SQL, DMY'")
    late = event("a", "2026-10-02T23:59:59.999999Z", receivedAt="2026-10-03T00:00:05Z")
    raw.land(DAY, [{**late, "receivedAt": "2026-10-03T00:00:04Z"}], "winner.ndjson")
    raw.land(DAY, [late], "copy.ndjson")
    raw.load(DAY)
    # Two warehouses whose servers are set otherwise still hold the same.
    assert raw.rows("select candidate ->> 'occurred_at' from raw.duplicate_events") == [
        ("2026-10-02T23:59:59.999999+00:00",)
    ]
    raw.land(DAY, [], "winner.ndjson")
    raw.load(DAY)
    assert raw.rows(
        "select event_date, (occurred_at at time zone 'UTC')::text, (received_at at time zone 'UTC')::time::text"
        " from raw.events"
    ) == [(DAY, "02/10/2026 23:59:59.999999", "00:00:05")]


def test_every_event_day_has_a_partition_of_its_own_that_holds_a_key_once(raw: RawTables) -> None:
    raw.land(NEXT_DAY, [event("a", "2026-10-02T10:00:00Z"), event("a", "2026-10-03T10:00:00Z"),
                        event("b", "2026-10-01T10:00:00Z")])  # fmt: skip
    raw.load(NEXT_DAY)
    assert sorted(raw.rows("select tableoid::regclass::text, event_date, event_key from raw.events")) == [
        ("raw.events_20261001", date(2026, 10, 1), "b"),
        ("raw.events_20261002", DAY, "a"),
        ("raw.events_20261003", NEXT_DAY, "a"),
    ]
    copy = "insert into raw.events select * from raw.events where event_key = 'b'"
    with pytest.raises(psycopg.errors.UniqueViolation, match="events_20261001"):
        raw.pipeline.connection.execute(copy)


def test_the_load_is_late_for_days_that_the_nightly_run_had_closed(raw: RawTables) -> None:
    raw.land(NEXT_DAY, [event("a", "2026-10-01T10:00:00Z"), event("b", "2026-10-02T10:00:00Z"),
                        event("c", "2026-10-03T10:00:00Z")])  # fmt: skip
    assert raw.load(NEXT_DAY).late == 1


def test_a_landing_day_is_not_loaded_inside_a_transaction_that_could_take_it_back(raw: RawTables) -> None:
    raw.land(DAY, [event("a")])
    with raw.pipeline.connection.transaction(), pytest.raises(ValueError, match="transaction of its own"):
        raw.load(DAY)
    assert raw.keys() == []
