"""Buffer of rows per table, sent to Postgres by binary COPY when enough bytes are waiting."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

import psycopg

from ingestion.loading.binary_copy import CANDIDATE_COLUMN_LIST, REJECTED_COLUMN_LIST, SIGNATURE, TRAILER

TO_CANDIDATES: Final = f"candidates ({CANDIDATE_COLUMN_LIST})"
TO_REJECTED: Final = f"raw.rejected_events ({REJECTED_COLUMN_LIST})"
# A COPY costs the server some tenths of a millisecond, however many rows it brings.
FLUSH_BYTES: Final = 8_388_608


class CopyBuffer:
    """Rows in binary COPY format for several tables. After `flush` all are stored, in the cursor's transaction."""

    def __init__(self, cursor: psycopg.Cursor) -> None:
        self._cursor = cursor
        self._rows: dict[str, list[bytes | memoryview]] = defaultdict(list)
        self._bytes: Counter[str] = Counter()

    def add(self, target: str, rows: Sequence[bytes | memoryview]) -> None:
        """Add rows for a target: a table and the list of columns, as COPY takes them. An item may hold many rows."""
        if rows:
            self._rows[target] += rows
            self._bytes[target] += sum(map(len, rows))
            if self._bytes.total() >= FLUSH_BYTES:
                # Only the largest buffer: the others gather more rows for their next COPY.
                self._copy(max(self._bytes, key=self._bytes.__getitem__))

    def flush(self) -> None:
        """Copy the rows of every buffer."""
        for target in list(self._rows):
            self._copy(target)

    def _copy(self, target: str) -> None:
        del self._bytes[target]
        rows = self._rows.pop(target)
        with self._cursor.copy(f"copy {target} from stdin (format binary)") as copy:
            copy.write(b"".join((SIGNATURE, *rows, TRAILER)))
