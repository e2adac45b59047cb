"""Lines validated by several processes: the same rows as by one, and nothing left running."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ingestion.encryption.props import PropEncryption
from ingestion.encryption.tokens import new_key
from ingestion.landing.files import LandingError
from ingestion.landing.lines import TextBlock
from ingestion.loading import worker, worker_pool
from ingestion.loading.batch_validation import ValidationSettings, explain_rejections, validate_batch
from ingestion.loading.landing_day import LoadReport, load_landing_day, load_window
from ingestion.loading.row_router import RowRouter
from ingestion.loading.worker_pool import ValidationPool, WorkerFailed
from tests.integration.ingestion.loading import model
from tests.integration.ingestion.loading.raw_tables import RawTables, event
from tests.integration.ingestion.loading.test_fuzzed_lines import fuzzed_lines
from tests.support.pipeline import START
from warehouse.window import Window

DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)
SETTINGS = ValidationSettings(DAY, START, PropEncryption.from_settings("legalName", new_key()))


@pytest.fixture(autouse=True)
def started_for_any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "MIN_BYTES_FOR_POOL", 0)


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    before = children()
    yield
    assert children() == before


def children() -> set[str]:
    """The processes that this one has started and not yet seen the end of."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def load(raw: RawTables, processes: int) -> list[LoadReport]:
    return load_window(
        raw.pipeline.connection,
        root=raw.landing,
        window=Window(DAY, date(2026, 10, 4)),
        start_date=START,
        encryption=SETTINGS.encryption,
        processes=processes,
    )


def test_several_processes_load_what_one_loads(raw: RawTables) -> None:
    """Two landing days of files that take many batches, with every kind of line, a line over the limit, an array."""

    def land() -> None:
        lines = list(fuzzed_lines(5, 8_000))
        raw.land(DAY, [*lines[:3_000], b"x" * 1_200_000, *lines[3_000:4_000]], "a.ndjson")  # type: ignore[list-item]
        raw.land(DAY, lines[4_000:7_000], "b.ndjson.gz")  # type: ignore[arg-type]
        raw.land(NEXT_DAY, lines[7_000:], "a.ndjson")  # type: ignore[arg-type]
        raw.land(DAY, ["[", *('{"a": 1},' for _ in range(50_000)), "{}]"], "array.json")

    outcomes = []
    for processes in (1, 3):
        land()
        reports = load(raw, processes)
        places = raw.rows(
            "select file, line_number, event_date, event_key from raw.events inner join ops.loads using (load_id)"
            " order by 1, 2"
        )
        outcomes.append((reports, raw.contents(), raw.ledger(), raw.changed_days(), places))
        raw.assert_ledger_adds_up()
        raw.reset()
    assert outcomes[0] == outcomes[1]
    assert [len(report.loaded) for report in outcomes[0][0]] == [3, 1]


def test_of_equal_copies_the_first_line_counts_in_any_order_of_batches(raw: RawTables) -> None:
    """Two files of several batches, with the same events over and over."""
    chance = random.Random(3)  # noqa: S311
    events = [event(f"k{number}", props={"path": "x" * 9_000}) for number in range(40)]
    for name in ("a.ndjson", "b.ndjson.gz"):
        raw.land(DAY, [chance.choice(events) if chance.random() < 0.9 else "bad" for _ in range(600)], name)
    load(raw, 4)
    raw.assert_is(model.settle(raw.landed, per_minute=100))


def test_results_of_a_load_that_failed_are_not_used_for_the_next(
    raw: RawTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server fails while the workers explain rejections; the same workers go on with the next day."""
    raw.land(DAY, [event("a"), "bad", "worse"] * 30)
    raw.land(NEXT_DAY, [event("b"), "bad"] * 30)

    def load_day(landing_date: date, pool: ValidationPool) -> LoadReport:
        return load_landing_day(
            raw.pipeline.connection, root=raw.landing, landing_date=landing_date, start_date=START, pool=pool
        )

    with ValidationPool(2) as pool:
        with monkeypatch.context() as patch:
            patch.setattr(RowRouter, "attach_partitions", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                load_day(DAY, pool)
        report = load_day(NEXT_DAY, pool)
    assert (report.lines_read, report.accepted, report.rejected, report.duplicates) == (60, 1, 30, 29)
    assert raw.keys() == ["b"]
    raw.assert_ledger_adds_up()


def test_a_damaged_file_ends_the_workers_and_leaves_no_trace(raw: RawTables) -> None:
    content = b"".join(json.dumps(event(str(number))).encode() + b"\n" for number in range(20_000))
    raw.land(DAY, [event("a")], "a.ndjson")
    (raw.landing / f"events/dt={DAY}/b.ndjson.gz").write_bytes(gzip.compress(content)[:-9])
    before = raw.everything()
    with pytest.raises(LandingError, match=r"b\.ndjson\.gz is a damaged"):
        load(raw, 2)
    assert raw.everything() == before


def batch(key: str) -> TextBlock:
    return TextBlock(1, json.dumps(event(key)).encode())


def test_a_worker_that_ends_or_raises_is_reported() -> None:
    def killing_them() -> Iterator[tuple[int, TextBlock]]:
        yield 1, batch("a")
        for pid in children():
            os.kill(int(pid), signal.SIGKILL)

    with ValidationPool(2) as pool:
        pool.configure(SETTINGS, 1)
        assert [result.lines_read for result in pool.validate([(1, batch("a"))])] == [1]
        with pytest.raises(WorkerFailed, match="Traceback"):
            list(pool.validate([(1, 7)]))  # type: ignore[list-item]
    with ValidationPool(2) as pool:
        pool.configure(SETTINGS, 1)
        with pytest.raises(WorkerFailed, match=r"exited with -9"):
            list(pool.validate(killing_them()))


def test_batches_that_are_cancelled_are_not_read_to_their_end() -> None:
    """As when the server refuses a row: the thread that feeds the workers ends, and what it reads is closed."""
    read = []

    def endless() -> Iterator[tuple[int, TextBlock]]:
        try:
            for number in count():
                read.append(number)
                yield 1, batch(str(number))
        finally:
            read.append(-1)

    threads = set(threading.enumerate())
    with ValidationPool(2) as pool:
        pool.configure(SETTINGS, 1)
        with closing(pool.validate(endless())) as result:
            assert next(result).lines_read == 1
        assert read[-1] == -1
        assert len(read) < 100
    assert set(threading.enumerate()) == threads


@pytest.mark.parametrize("room", [0, 12_000, 10**9])
def test_explanations_are_deferred_as_long_as_there_is_room(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    monkeypatch.setattr(worker, "MAX_DEFERRED_BYTES", room)
    batches = [TextBlock(number, b"\n".join([*fuzzed_lines(number, 40), b"x" * 1_200_000])) for number in range(4)]
    rejections = worker.DeferredRejections(SETTINGS.validator())
    at_once = [rejections.validate(1 + number % 2, batch) for number, batch in enumerate(batches)]
    later = rejections.drain()
    assert rejections.drain() == []
    assert bool(later) == (room > 0)
    assert any(result.rejected for result in at_once) == (room < 10**9)
    found = defaultdict(list)
    counts: Counter[int] = Counter()
    for result in [*at_once, *later]:
        found[result.load_id] += result.rejected
        counts[result.load_id] += result.lines_read - len(result.rejected) - result.not_tracked
        counts[result.load_id] -= sum(len(rows.events) for rows in result.days.values())
    validator = SETTINGS.validator()
    expected = defaultdict(list)
    for number, batch in enumerate(batches):
        result, invalid = validate_batch(validator, 1 + number % 2, batch)
        explain_rejections(validator, result, invalid)
        expected[result.load_id] += result.rejected
    assert {load_id: sorted(rows) for load_id, rows in found.items()} == {
        load_id: sorted(rows) for load_id, rows in expected.items()
    }
    assert not any(counts.values())


def test_small_loads_and_one_process_start_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def validated_here(processes: int | None, expected_bytes: int) -> Any:
        with ValidationPool(processes) as pool:
            pool.configure(SETTINGS, expected_bytes)
            return [result.lines_read for result in pool.validate([(1, batch("a"))])], children()

    before = children()
    assert validated_here(1, 10**9) == ([1], before)
    monkeypatch.setattr(worker_pool, "MIN_BYTES_FOR_POOL", 10)
    assert validated_here(None, 9) == ([1], before)


def test_a_worker_imports_nothing_heavy() -> None:
    command = "import sys, ingestion.loading.worker; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True).stdout.split()
    assert not {"dagster", "pandas", "pyarrow", "dbt", "psycopg", "obstore"} & set(loaded)
