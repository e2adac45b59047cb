"""Rows on their way to the server: gathered by their tables, and sent in turns of one connection."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

import psycopg

from ingestion.loading.binary_copy import CANDIDATE_COLUMN_LIST, REJECTED_COLUMN_LIST, SIGNATURE, TRAILER

TO_CONTENDERS: Final = f"contenders ({CANDIDATE_COLUMN_LIST})"
TO_REJECTED: Final = f"raw.rejected_events ({REJECTED_COLUMN_LIST})"
# When so much waits, a turn is due. It costs the server some tenths of a millisecond, whatever it brings.
TURN_BYTES: Final = 8_388_608


class Outbox:
    """Takes rows in binary COPY format for any tables; they are there after `send`, in the cursor's transaction."""

    def __init__(self, cursor: psycopg.Cursor) -> None:
        self._cursor = cursor
        self._waiting: dict[str, list[bytes]] = defaultdict(list)
        self._bytes: Counter[str] = Counter()

    def put(self, target: str, rows: Sequence[bytes]) -> None:
        """Add rows for a target: a table and the columns of the rows, as COPY takes them."""
        if rows:
            self._waiting[target] += rows
            self._bytes[target] += sum(map(len, rows))
            if self._bytes.total() >= TURN_BYTES:
                # What waits for the others may as well wait for more.
                self._send(max(self._bytes, key=self._bytes.__getitem__))

    def send(self) -> None:
        """Send what waits."""
        for target in list(self._waiting):
            self._send(target)

    def _send(self, target: str) -> None:
        del self._bytes[target]
        rows = self._waiting.pop(target)
        with self._cursor.copy(f"copy {target} from stdin (format binary)") as copy:
            copy.write(b"".join((SIGNATURE, *rows, TRAILER)))
