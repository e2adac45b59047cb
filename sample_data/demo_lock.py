"""One `make demo` of a checkout at a time: the second one says for which process it waits."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

POLL_SECONDS: Final = 0.5
# A person who sees nothing for longer wonders if it still works.
REMINDER_SECONDS: Final = 30


@contextmanager
def taken(lock_file: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the turn while the block runs. The kernel gives it back when the process ends, however it ends."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    # Not inherited by the run: a lock is for this process alone.
    lock = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _wait(lock, say)
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)


def _wait(lock: int, say: Callable[[str], None]) -> None:
    said = None
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if said is None or time.monotonic() - said >= REMINDER_SECONDS:
                holder = os.pread(lock, 20, 0).decode() or "which has just begun"
                say(f"another make demo is at work here (process {holder}): waiting until it has ended")
                said = time.monotonic()
            time.sleep(POLL_SECONDS)
        else:
            return
