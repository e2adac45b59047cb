"""Rows on their way to the server: gathered by their tables, and sent in turns of one connection."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import psycopg

from ingestion.candidates.rows import CANDIDATE_COLUMN_LIST, REJECTED_COLUMN_LIST, SIGNATURE, TRAILER

TO_CONTENDERS: Final = f"contenders ({CANDIDATE_COLUMN_LIST})"
TO_REJECTED: Final = f"raw.rejected_events ({REJECTED_COLUMN_LIST})"
# A turn costs the server some tenths of a millisecond, whatever it brings.
TURN_BYTES: Final = 4_194_304


class Outbox:
    """Takes rows in binary COPY format for any tables; they are there after `send`, in the cursor's transaction."""

    def __init__(self, cursor: psycopg.Cursor) -> None:
        self._cursor = cursor
        self._waiting: dict[str, list[bytes]] = defaultdict(list)
        self._bytes = 0

    def put(self, target: str, rows: Sequence[bytes]) -> None:
        """Add rows for a target: a table and the columns of the rows, as COPY takes them."""
        if rows:
            self._waiting[target] += rows
            self._bytes += sum(map(len, rows))
            if self._bytes >= TURN_BYTES:
                self.send()

    def send(self) -> None:
        """Send what waits."""
        for target, rows in self._waiting.items():
            with self._cursor.copy(f"copy {target} from stdin (format binary)") as copy:
                copy.write(b"".join((SIGNATURE, *rows, TRAILER)))
        self._waiting.clear()
        self._bytes = 0
