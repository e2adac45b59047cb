"""Buffered writer of landing files: `events/dt=<day of arrival>/<name>.ndjson.gz`.

Files are written atomically, when the buffer is full or old enough, or when the day is over. While the disk cannot be
written, lines stay in the buffer. Beyond its limit, the oldest lines are dropped and counted.
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

# Size of lines before compression: some 14,000 events, which load in a second.
MAX_FILE_BYTES: Final = 8 * 1024**2
# A crash of the process loses at most the lines of this time.
MAX_AGE_SECONDS: Final = 30.0
# Eight files: minutes of a full disk for a busy producer, hours for most.
MAX_BUFFER_BYTES: Final = 64 * 1024**2
RETRY_SECONDS: Final = 5.0

# Memory beside the line itself: its object and its entry in the buffer.
_LINE_OVERHEAD: Final = 120
# Level 1 takes a quarter of the time of level 6, for files that are a third larger.
_COMPRESSION: Final = 1
_PRODUCER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_log: Final = logging.getLogger(__name__)


class LandingWriter:
    """Writer of the lines of one producer, from any number of threads. Raises ValueError for invalid limits.

    A forked child begins with an empty buffer, since the parent writes its own lines. The buffer is written at exit. A
    child that ends by os._exit, as those of multiprocessing do, has to call `close`.
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
        self._buffer: deque[tuple[date, bytes]] = deque()
        self._held_bytes = 0  # of the lines that wait and of those that are being written
        self._timer: Timer | None = None
        self._may_write_at = 0.0
        self._is_failing = False
        self._files = 0
        # Names are unique among processes, and those of one process sort in the order of writing.
        self._name = f"{self._producer}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"

    def write(self, line: bytes, arrived_at: datetime) -> bool:
        """Buffer a line with its time of arrival, UTC, and write a full file. Returns False after `close`."""
        day = arrived_at.date()
        with self._lock:
            if self._is_closed:
                return False
            is_new_day = bool(self._buffer) and self._buffer[-1][0] != day
            self._buffer.append((day, line))
            self._held_bytes += _size(line)
            self._drop_oldest()
            if self._timer is None:
                self._start_timer(self._max_age_seconds)
            is_due = (is_new_day or self._held_bytes >= self._max_file_bytes) and time.monotonic() >= self._may_write_at
        if is_due:
            self.flush()
        return True

    def flush(self) -> bool:
        """Write the buffer. Returns False when the disk cannot be written; the lines then stay in the buffer."""
        with self._writing:
            with self._lock:
                lines, self._buffer = self._buffer, deque()
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
                    self._is_failing = False
        return True

    def close(self) -> None:
        """Write the buffer, and accept no more lines. Lines that cannot be written are counted as dropped."""
        atexit.unregister(self.close)
        with self._lock:
            self._is_closed = True
        if not self.flush():
            with self._lock:
                self.dropped += len(self._buffer)
                lost = len(self._buffer)
                self._buffer.clear()
                self._held_bytes = 0
                if self._timer is not None:
                    self._timer.cancel()
            _log.error("%d tracked events could not be written to %s and are lost", lost, self._root)

    def _next_file(self, lines: deque[tuple[date, bytes]]) -> int:
        """Return how many of these lines form the next file: of one day, up to the limit."""
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
        """Put lines that could not be written back before later ones, and schedule another try."""
        with self._lock:
            lines.extend(self._buffer)
            self._buffer = lines
            self._drop_oldest()
            self._may_write_at = time.monotonic() + self._retry_seconds
            if self._timer is None and not self._is_closed:
                self._start_timer(self._retry_seconds)
            is_new_failure, self._is_failing = not self._is_failing, True
        if is_new_failure:
            _log.error(
                "tracked events cannot be written to %s (%s): make room or correct its permissions; up to %d bytes of"
                " them are kept, then the oldest are dropped",
                self._root,
                error.strerror or error,
                self._max_buffer_bytes,
            )

    def _drop_oldest(self) -> None:
        while self._held_bytes > self._max_buffer_bytes and self._buffer:
            self._held_bytes -= _size(self._buffer.popleft()[1])
            self.dropped += 1

    def _start_timer(self, seconds: float) -> None:
        timer = Timer(seconds, self.flush)
        timer.daemon = True
        # Without a new thread the lines are written with the next ones, or at exit.
        with contextlib.suppress(RuntimeError):
            timer.start()
            self._timer = timer


def _size(line: bytes) -> int:
    return len(line) + _LINE_OVERHEAD
