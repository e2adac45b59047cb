"""Lock that allows one `make demo` of a checkout at a time; a second one waits and names the first's process."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from warehouse.file_lock import try_lock

POLL_SECONDS: Final = 0.5
# Without any output for longer, the command appears to hang.
REMINDER_SECONDS: Final = 30


@contextmanager
def taken(lock_file: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock while the block runs. The kernel releases it when the process ends, also after a kill."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    # os.open makes the descriptor non-inheritable: the run must not keep the lock.
    lock = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _wait(lock, say)
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)


def _wait(lock: int, say: Callable[[str], None]) -> None:
    reported_at = None
    while not try_lock(lock):
        if reported_at is None or time.monotonic() - reported_at >= REMINDER_SECONDS:
            holder = os.pread(lock, 20, 0).decode() or "which has just begun"
            say(f"another make demo is at work here (process {holder}): waiting until it has ended")
            reported_at = time.monotonic()
        time.sleep(POLL_SECONDS)
