"""Progress of reading a file: reported now and then, and stopped if the file unpacks to too much."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from ingestion.landing.files import LandingError, LandingFile

# Often enough that a long reading does not look as if it hangs.
PROGRESS_SECONDS: Final = 30


class Meter:
    """Counter of the bytes read of one file. Raises LandingError beyond the file's limits."""

    def __init__(self, file: LandingFile, on_progress: Callable[[str], None] | None = None) -> None:
        self._file = file
        self._on_progress = on_progress
        self._reported_at = monotonic()
        self._unpacked = 0

    def add(self, unpacked: int, stored: int) -> None:
        """Add `unpacked` bytes; `stored` is the total of stored bytes so far. Raises LandingError."""
        file = self._file
        self._unpacked += unpacked
        if not file.limits.allow(unpacked=self._unpacked, stored=stored):
            raise LandingError(
                f"{file.location} unpacks to more than {file.limits.max_expansion} times its size"
                f" ({self._unpacked:,} bytes of {stored:,} so far), as no log of events does: have it written again, or"
                " raise WAREHOUSE_MAX_EXPANSION if it is meant; nothing of its landing day was loaded"
            )
        if self._on_progress is not None and monotonic() - self._reported_at >= PROGRESS_SECONDS:
            self._reported_at = monotonic()
            self._on_progress(
                f"reading {file.location}: {stored / 1e6:,.0f} of {file.size / 1e6:,.0f} MB,"
                f" {self._unpacked / 1e6:,.0f} MB of lines so far"
            )
