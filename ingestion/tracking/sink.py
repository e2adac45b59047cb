"""Interface of the destination of tracked lines."""

from datetime import datetime
from typing import Protocol


class Sink(Protocol):
    """Destination of lines: a LandingWriter, or a list in a test."""

    def write(self, line: bytes, arrived_at: datetime) -> bool:
        """Write a line without its line end. Returns False when the sink is closed."""

    def flush(self) -> object:
        """Write all buffered lines."""

    def close(self) -> None:
        """Flush, and accept no more lines."""
