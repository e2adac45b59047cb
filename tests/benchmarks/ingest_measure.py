"""Costs of a child process: seconds, CPU of it and of the Postgres server, and memory, from /proc."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Every look at the memory of a process keeps it waiting for a millisecond or more.
_SAMPLE_SECONDS: Final = 1
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: seconds by the clock, CPU seconds of the client with its workers and of the server, peak memory of the
    client with its workers in megabytes (pages that processes share counted once)."""

    seconds: float
    client_cpu: float
    server_cpu: float
    peak_mb: float


def run_measured(command: Sequence[str], postmaster: int) -> Cost:
    """Run a command whose last line of output is JSON with `seconds` and `cpu`. Raises CalledProcessError."""
    server_before = _server_ticks(postmaster)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    done = threading.Event()
    peaks = [0]
    sampler = threading.Thread(target=_sample, args=(child.pid, done, peaks))
    sampler.start()
    try:
        output = child.communicate()[0]
    finally:
        done.set()
        sampler.join()
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    measured = json.loads(output.splitlines()[-1])
    server = (_server_ticks(postmaster) - server_before) / _TICKS
    return Cost(measured["seconds"], measured["cpu"], server, max(peaks[0], measured["peak_kb"]) / 1024)


def _sample(pid: int, done: threading.Event, peaks: list[int]) -> None:
    while not done.wait(_SAMPLE_SECONDS):
        peaks[0] = max(peaks[0], sum(map(_memory_kb, _family(pid))))


def _family(pid: int) -> list[int]:
    found = [pid]
    for member in found:
        try:
            found += map(int, (_PROC / f"{member}/task/{member}/children").read_text().split())
        except OSError:
            continue
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
