"""Collects lines in memory and writes them as landing files: `events/dt=<day of arrival>/<name>.ndjson.gz`.

A file is there whole or not at all. Lines wait in memory until there are enough of them, until they are old enough, or
until the day is over; while the disk refuses they wait up to a limit, beyond which the oldest are dropped and counted.
"""

import atexit
import contextlib
import gzip
import logging
import os
import re
import secrets
import time
import weakref
from collections import deque
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from threading import Lock, Timer
from typing import Final

from warehouse.atomic_file import write_atomically

# Of lines, before compression: some 14,000 events, a second's work for the loader.
MAX_FILE_BYTES: Final = 8 * 1024**2
# What a crash of the process may cost.
MAX_AGE_SECONDS: Final = 30.0
# Eight files' worth: minutes of a full disk for a busy producer, hours for most.
MAX_BUFFER_BYTES: Final = 64 * 1024**2
RETRY_SECONDS: Final = 5.0

# Beside the line itself: the object around it and its place in the buffer.
_LINE_OVERHEAD: Final = 120
# Level 1 takes a quarter of the time of level 6, for files that are a third larger.
_COMPRESSION: Final = 1
_PRODUCER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_log: Final = logging.getLogger(__name__)


class LandingWriter:
    """Writes the lines of one producer, from any number of threads. Raises ValueError for limits that make no sense.

    A forked child begins with nothing: what its parent had collected is the parent's to write. At exit what is left is
    written; a child that ends by os._exit, as multiprocessing's do, has to call `close`.
    """

    def __init__(
        self,
        root: Path | str,
        *,
        producer: str,
        max_file_bytes: int = MAX_FILE_BYTES,
        max_age_seconds: float = MAX_AGE_SECONDS,
        max_buffer_bytes: int = MAX_BUFFER_BYTES,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        if not _PRODUCER.fullmatch(producer):
            raise ValueError(f"a producer is named by 1 to 64 letters, digits, - and _, not {producer!r}")
        if not 0 < max_file_bytes <= max_buffer_bytes or max_age_seconds <= 0 or retry_seconds < 0:
            raise ValueError("limits are positive, and the buffer holds at least one file")
        self.written = 0
        self.dropped = 0
        self._root = Path(root)
        self._producer = producer
        self._max_file_bytes = max_file_bytes
        self._max_age_seconds = max_age_seconds
        self._max_buffer_bytes = max_buffer_bytes
        self._retry_seconds = retry_seconds
        self._is_closed = False
        self._begin()
        own = weakref.ref(self)

        def begin_in_child() -> None:
            if (writer := own()) is not None:
                writer._begin()

        os.register_at_fork(after_in_child=begin_in_child)
        atexit.register(self.close)

    def _begin(self) -> None:
        self._lock = Lock()  # of the buffer and the counts; never held while a file is written
        self._writing = Lock()  # one file at a time, so that lines keep their order
        self._waiting: deque[tuple[date, bytes]] = deque()
        self._held_bytes = 0  # of the lines that wait and of those that are being written
        self._timer: Timer | None = None
        self._may_write_at = 0.0
        self._is_refused = False
        self._files = 0
        # No two processes write under one name, and names of one process sort in the order of writing.
        self._name = f"{self._producer}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"

    def write(self, line: bytes, arrived_at: datetime) -> bool:
        """Take a line that arrived at this time, UTC; False after `close`. Writes a file when one is full."""
        day = arrived_at.date()
        with self._lock:
            if self._is_closed:
                return False
            is_new_day = bool(self._waiting) and self._waiting[-1][0] != day
            self._waiting.append((day, line))
            self._held_bytes += _size(line)
            self._drop_oldest()
            if self._timer is None:
                self._start_timer(self._max_age_seconds)
            is_due = (is_new_day or self._held_bytes >= self._max_file_bytes) and time.monotonic() >= self._may_write_at
        if is_due:
            self.flush()
        return True

    def flush(self) -> bool:
        """Write what waits; False when the disk refuses, and the lines wait on. Raises nothing but what is a bug."""
        with self._writing:
            with self._lock:
                lines, self._waiting = self._waiting, deque()
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
            while lines:
                count = self._next_file(lines)
                try:
                    self._write_file(lines[0][0], [line for _, line in islice(lines, count)])
                except OSError as error:
                    self._keep(lines, error)
                    return False
                with self._lock:
                    self._held_bytes -= sum(_size(lines.popleft()[1]) for _ in range(count))
                    self.written += count
                    self._is_refused = False
        return True

    def close(self) -> None:
        """Write what waits and take no more. Lines that the disk refuses now are lost, and counted as dropped."""
        atexit.unregister(self.close)
        with self._lock:
            self._is_closed = True
        if not self.flush():
            with self._lock:
                self.dropped += len(self._waiting)
                lost = len(self._waiting)
                self._waiting.clear()
                self._held_bytes = 0
                if self._timer is not None:
                    self._timer.cancel()
            _log.error("%d tracked events could not be written to %s and are lost", lost, self._root)

    def _next_file(self, lines: deque[tuple[date, bytes]]) -> int:
        """How many of these lines belong into one file: of one day, and not too many."""
        day, size = lines[0][0], 0
        for count, (other, line) in enumerate(lines):
            size += _size(line)
            if other != day or (count and size > self._max_file_bytes):
                return count
        return len(lines)

    def _write_file(self, day: date, lines: list[bytes]) -> None:
        self._files += 1
        path = self._root / "events" / f"dt={day}" / f"{self._name}-{self._files:06d}.ndjson.gz"
        write_atomically(path, gzip.compress(b"\n".join(lines) + b"\n", _COMPRESSION, mtime=0))

    def _keep(self, lines: deque[tuple[date, bytes]], error: OSError) -> None:
        """Put back what could not be written, before what has come since, and try again later."""
        with self._lock:
            lines.extend(self._waiting)
            self._waiting = lines
            self._drop_oldest()
            self._may_write_at = time.monotonic() + self._retry_seconds
            if self._timer is None and not self._is_closed:
                self._start_timer(self._retry_seconds)
            is_news, self._is_refused = not self._is_refused, True
        if is_news:
            _log.error(
                "tracked events cannot be written to %s (%s): make room or correct its permissions; up to %d bytes of"
                " them are kept, then the oldest are dropped",
                self._root,
                error.strerror or error,
                self._max_buffer_bytes,
            )

    def _drop_oldest(self) -> None:
        while self._held_bytes > self._max_buffer_bytes and self._waiting:
            self._held_bytes -= _size(self._waiting.popleft()[1])
            self.dropped += 1

    def _start_timer(self, seconds: float) -> None:
        timer = Timer(seconds, self.flush)
        timer.daemon = True
        # Without a thread lines wait for the next ones, or for the end.
        with contextlib.suppress(RuntimeError):
            timer.start()
            self._timer = timer


def _size(line: bytes) -> int:
    return len(line) + _LINE_OVERHEAD
