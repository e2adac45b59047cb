"""A landing day becomes visible whole or not at all: when the load dies, wherever that is, and when two loads meet."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg
import pytest

from ingestion.loading import copy_buffer
from ingestion.loading.landing_day import load_landing_day
from ingestion.validation.validator import LineValidator
from tests.integration.ingestion.loading.raw_tables import RawTables, event
from tests.support.pipeline import START, Pipeline

DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)


class Backend:
    """Counts the statements of the connections it watches, and kills the server process behind one before the nth."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.statements = 0
        self.dies_before = 0
        self.before_each: Callable[[], object] = lambda: None

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        backend = self

        class Watched(psycopg.Cursor[Any]):
            def execute(self, *arguments: Any, **options: Any) -> Any:
                backend.before_statement(self.connection)
                return super().execute(*arguments, **options)

            def copy(self, *arguments: Any, **options: Any) -> Any:
                backend.before_statement(self.connection)
                return super().copy(*arguments, **options)

        with self.pipeline.warehouse.connect(autocommit=True) as connection:
            connection.cursor_factory = Watched
            yield connection

    def before_statement(self, connection: psycopg.Connection) -> None:
        self.statements += 1
        self.before_each()
        if self.statements == self.dies_before:
            self.pipeline.rows("select pg_terminate_backend(%s, 10000)", connection.info.backend_pid)


def load_through(backend: Backend, raw: RawTables, day: date) -> None:
    with backend.connection() as connection:
        load_landing_day(connection, root=raw.landing, landing_date=day, start_date=START)


@pytest.fixture
def corrected(raw: RawTables, monkeypatch: pytest.MonkeyPatch) -> RawTables:
    """A landing day that is loaded, and since then corrected: every step of its load has something to do."""
    monkeypatch.setattr(copy_buffer, "FLUSH_BYTES", 1_000)
    monkeypatch.setattr("ingestion.deduplication.rate_limit.EVENTS_PER_MINUTE", 1)
    first = event("a", receivedAt="2026-10-02T11:00:00Z", anonymousId="v", attribution={"utmSource": "x"})
    later = event("b", receivedAt="2026-10-02T11:00:01Z", anonymousId="v")
    raw.land(DAY, [first, later, "no JSON", event("c")], "0.ndjson")
    raw.land(DAY, [event("a", receivedAt="2026-10-02T12:00:00Z"), event("d", "2026-10-01T00:00:00Z")], "1.ndjson")
    raw.load(DAY)
    raw.land(DAY, [event("c", props={"revenueCents": 1}), "no JSON still", event("e"), event("f")], "0.ndjson")
    raw.land(DAY, [{**first, "receivedAt": "2026-10-02T13:00:00Z"}, event("g", "2026-10-01T00:00:00Z")], "2.ndjson")
    return raw


def test_a_load_that_dies_before_any_of_its_statements_leaves_no_trace(corrected: RawTables) -> None:
    backend = Backend(corrected.pipeline)
    before = corrected.everything()
    survived = 0
    # Every statement in turn: the load runs until one is left that it does not reach.
    for backend.dies_before in range(1, 500):
        backend.statements = 0
        try:
            load_through(backend, corrected, DAY)
        except psycopg.OperationalError:
            assert corrected.everything() == before, f"statement {backend.dies_before} left something behind"
            survived += 1
        else:
            break
    assert survived > 40
    assert backend.statements == survived
    # The load that got through came after all these deaths; a clean warehouse says what it must have come to.
    after = corrected.contents()
    corrected.assert_ledger_adds_up()
    ledger = corrected.ledger()
    landed = dict(corrected.landed)
    corrected.reset()
    for (day, name), lines in landed.items():
        corrected.land(day, lines, name.rpartition("/")[2])
    corrected.load(DAY)
    assert corrected.contents() == after
    assert corrected.ledger() == ledger


@pytest.mark.parametrize("line", [1, 2, 5])
def test_a_load_that_fails_within_a_file_leaves_no_trace(
    corrected: RawTables, monkeypatch: pytest.MonkeyPatch, line: int
) -> None:
    before = corrected.everything()
    accept = LineValidator.accept
    calls = 0

    def run_out_of_memory(self: LineValidator, content: bytes) -> Any:
        nonlocal calls
        calls += 1
        if calls == line:
            raise MemoryError
        return accept(self, content)

    with monkeypatch.context() as patch:
        patch.setattr(LineValidator, "accept", run_out_of_memory)
        with pytest.raises(MemoryError):
            corrected.load(DAY)
    assert corrected.everything() == before
    # The same connection serves for the rerun.
    corrected.load(DAY)
    corrected.assert_ledger_adds_up()
    assert corrected.keys() == ["a", "c", "d", "e", "f", "g"]


def test_no_session_sees_a_part_of_a_load(corrected: RawTables) -> None:
    """Another session's reads while the load runs, before each of its statements, is what was there before."""
    backend = Backend(corrected.pipeline)
    seen = []
    counted = "select (select count(*) from raw.events), (select sum(lines_read) from ops.loads)"
    before = corrected.rows(counted)
    backend.before_each = lambda: seen.append(corrected.rows(counted))
    load_through(backend, corrected, DAY)
    assert len(seen) > 40
    assert seen == [before] * len(seen)
    assert corrected.rows(counted) != before


def test_two_loads_of_one_landing_day_at_once_come_to_the_same_as_one(
    corrected: RawTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = LineValidator.accept
    other: list[Future[None]] = []

    def wait_for_the_other(self: LineValidator, content: bytes) -> Any:
        if not other:
            other.append(executor.submit(load_through, Backend(corrected.pipeline), corrected, DAY))
            deadline = time.monotonic() + 30
            while not corrected.rows("select 1 from pg_locks where relation = 'ops.loads'::regclass and not granted"):
                assert time.monotonic() < deadline, "the second load does not wait for the first"
                assert not other[0].done(), "the second load does not wait for the first"
        return accept(self, content)

    monkeypatch.setattr(LineValidator, "accept", wait_for_the_other)
    with ThreadPoolExecutor(1) as executor:
        load_through(Backend(corrected.pipeline), corrected, DAY)
        other[0].result(timeout=30)
    corrected.assert_ledger_adds_up()
    assert corrected.rows("select count(*), count(replaced_by) from ops.loads") == [(4, 1)]
    after = corrected.everything()
    corrected.load(DAY)
    assert corrected.everything() == after
