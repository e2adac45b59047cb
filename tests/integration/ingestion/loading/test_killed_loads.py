"""Fifty loads that are killed at any moment: the loader, one of its workers, or its server process.

Each leaves raw as it was, or as the whole load makes it.
"""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ingestion.loading import worker_pool
from ingestion.loading.landing_day import load_window
from tests.integration.ingestion.loading.raw_tables import RawTables, event
from tests.support.pipeline import START
from warehouse.window import Window

DAY = Window.day(START)
WITHOUT_WORKERS = 42
WITH_WORKERS = 8
NAME = "load-to-be-killed"
DEADLINE_SECONDS = 30


class Loader:
    """A process that loads the landing day, made by a fork: nothing has to be imported again."""

    def __init__(self, raw: RawTables, processes: int) -> None:
        self.raw = raw
        self.pid = os.fork()
        if self.pid == 0:
            with suppress(BaseException):
                with raw.pipeline.warehouse.connect(autocommit=True) as connection:
                    connection.execute(f"set application_name = '{NAME}'")
                    load_window(connection, root=raw.landing, window=DAY, start_date=START, processes=processes)
                os._exit(0)
            os._exit(1)

    def workers(self) -> list[int]:
        """The processes that it has started."""
        try:
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        except OSError:
            return []

    def end(self) -> bool:
        """Wait until it and the server's process behind it have ended. Whether it came to its end by itself."""
        _, status = os.waitpid(self.pid, 0)
        wait_until(lambda: not self.raw.rows("select 1 from pg_stat_activity where application_name = %s", NAME))
        return os.waitstatus_to_exitcode(status) == 0


def wait_until(is_so: Any) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_backend(raw: RawTables) -> None:
    raw.rows("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = %s", NAME)


def is_gone(pid: int) -> bool:
    """Return True if a process has ended, also if it is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def land_version(raw: RawTables, version: int) -> None:
    """Two files with copies, late and limited events, broken lines and corrections of the version before."""
    chance = random.Random(version)  # noqa: S311
    for name in ("a.ndjson", "b.ndjson.gz"):
        raw.land(
            START,
            [
                event(
                    f"key-{chance.randrange(150)}",
                    f"2026-10-0{chance.randrange(1, 3)}T10:0{chance.randrange(2)}:00Z",
                    receivedAt=f"2026-10-02T00:00:0{chance.randrange(9)}Z",
                    anonymousId=f"device-{chance.randrange(3)}",
                    attribution={"utmSource": chance.choice(["", "news", "\u200bNEWS\u00a0"])},
                )
                if chance.random() < 0.95
                else "no JSON"
                for _ in range(150)
            ],
            name,
        )


def test_loads_that_are_killed_leave_all_or_nothing_and_a_rerun_is_as_one_clean_run(
    raw: RawTables, limit_of_two: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "MIN_BYTES_FOR_POOL", 0)
    chance = random.Random(3)  # noqa: S311
    version = 0
    land_version(raw, version)
    durations = {}
    for processes in (1, 2):
        started = time.monotonic()
        assert Loader(raw, processes).end()
        durations[processes] = time.monotonic() - started
        version += 1
        land_version(raw, version)
    before = raw.everything()
    unfinished = 0
    for number in range(WITHOUT_WORKERS + WITH_WORKERS):
        processes = 1 if number < WITHOUT_WORKERS else 2
        loader = Loader(raw, processes)
        time.sleep(chance.random() * durations[processes])
        started = loader.workers()
        if processes == 2 and number % 2 and started:
            kill(chance.choice(started))
        elif number % 6 == 5:
            kill_backend(raw)
        else:
            kill(loader.pid)
        is_complete = loader.end()
        wait_until(lambda pids=started: all(map(is_gone, pids)))
        after = raw.everything()
        if after == before:
            unfinished += 1
            assert not is_complete
            continue
        # It had been loaded whole already, and is corrected so that the next load has something to do again. The
        # machine is faster now than when the first loads were timed: the next one is killed earlier.
        durations[processes] *= 0.8
        raw.assert_ledger_adds_up()
        assert raw.load(START).loaded == ()
        version += 1
        land_version(raw, version)
        before = raw.everything()
    assert unfinished > WITHOUT_WORKERS / 2

    raw.load(START)
    raw.assert_ledger_adds_up()
    contents, ledger = raw.contents(), raw.ledger()
    raw.reset()
    land_version(raw, version)
    raw.load(START)
    assert raw.contents() == contents
    assert raw.ledger() == ledger
