"""Costs of a child process: seconds, CPU of it and of the Postgres server, and memory, from /proc."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Every look at the memory of a process keeps it waiting for a millisecond or more.
_SAMPLE_SECONDS: Final = 1
# A virtual machine may be stopped by its host, for minutes; a busy one wakes a thread sooner.
_STANDSTILL_SECONDS: Final = 5
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: seconds by the clock, CPU seconds of the client with its workers and of the server, peak memory of the
    client with its workers in megabytes (pages that processes share counted once), and the seconds during which the
    whole machine stood still, which are in those by the clock."""

    seconds: float
    client_cpu: float
    server_cpu: float
    peak_mb: float
    standstill_seconds: float = 0


def run_measured(command: Sequence[str], postmaster: int) -> Cost:
    """Run a command whose last line of output is JSON with `seconds` and `cpu`. Raises CalledProcessError."""
    server_before = _server_ticks(postmaster)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with _watched(child.pid) as seen:
        output = child.communicate()[0]
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    measured = json.loads(output.splitlines()[-1])
    server = (_server_ticks(postmaster) - server_before) / _TICKS
    peak_kb = max(seen.peak_kb, measured["peak_kb"])
    return Cost(measured["seconds"], measured["cpu"], server, peak_kb / 1024, seen.standstill_seconds)


def run_program(
    command: Sequence[str], postmaster: int, *, environment: Mapping[str, str], folder: Path, log: Path
) -> Cost:
    """Run any program from its start to its end, with its output in a file. Raises CalledProcessError."""
    server_before, started = _server_ticks(postmaster), time.perf_counter()
    with log.open("wb") as output:
        child = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        with _watched(child.pid) as seen:
            # With all descendants that were waited for.
            _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    server = (_server_ticks(postmaster) - server_before) / _TICKS
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(seconds, cpu, server, seen.peak_kb / 1024, seen.standstill_seconds)


@dataclass(slots=True)
class _Seen:
    """The highest sum of memory, and the seconds in which nothing ran, as far as a look a second can tell."""

    peak_kb: int = 0
    standstill_seconds: float = 0


@contextlib.contextmanager
def _watched(pid: int) -> Iterator[_Seen]:
    """Look at the memory of a process and its descendants, and at the clock, while the block runs."""
    done, seen = threading.Event(), _Seen()
    sampler = threading.Thread(target=_sample, args=(pid, done, seen))
    sampler.start()
    try:
        yield seen
    finally:
        done.set()
        sampler.join()


def _sample(pid: int, done: threading.Event, seen: _Seen) -> None:
    asleep = time.perf_counter()
    while not done.wait(_SAMPLE_SECONDS):
        late = time.perf_counter() - asleep - _SAMPLE_SECONDS
        if late > _STANDSTILL_SECONDS:
            seen.standstill_seconds += late
        seen.peak_kb = max(seen.peak_kb, sum(map(_memory_kb, _family(pid))))
        asleep = time.perf_counter()


def _family(pid: int) -> list[int]:
    found = [pid]
    for member in found:
        # A child belongs to the thread that has started it.
        for children in (_PROC / f"{member}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, children.read_text().split())
    return found


def _memory_kb(pid: int) -> int:
    try:
        for line in (_PROC / f"{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def _server_ticks(postmaster: int) -> int:
    """Of the postmaster, its present processes, and those that have ended."""
    ticks = 0
    for pid in _family(postmaster):
        try:
            fields = (_PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15] if pid == postmaster else fields[11:13]))
    return ticks


def is_supported() -> bool:
    """Return whether this system has what the measuring needs."""
    return sys.platform == "linux"
