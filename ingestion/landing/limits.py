"""Limits of one landing file on memory and expansion. Each has a setting."""

from dataclasses import dataclass
from typing import Final

# The default of zstd, and of `zstd --long`. The window is held in memory.
ZSTD_WINDOW_MB: Final = 128
# The widest that zstd knows.
MAX_ZSTD_WINDOW_MB: Final = 2_048
# Logs of events shrink to a tenth or a hundredth. gzip can reach 1,030, zstd and Parquet any number.
MAX_EXPANSION: Final = 200
# This much is read in seconds, whatever the file's size: small files of equal lines are no attack.
ALWAYS_ALLOWED_BYTES: Final = 268_435_456


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a file. `max_expansion` is the unpacked size by the stored size; 0 means no limit."""

    zstd_window_mb: int = ZSTD_WINDOW_MB
    max_expansion: int = MAX_EXPANSION

    def allow(self, *, unpacked: int, stored: int) -> bool:
        """Return True if the unpacked bytes are plausible for the stored ones."""
        return unpacked <= ALWAYS_ALLOWED_BYTES or not self.max_expansion or unpacked <= stored * self.max_expansion


DEFAULT_LIMITS: Final = Limits()
