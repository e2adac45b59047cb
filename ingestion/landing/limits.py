"""Limits on memory and expansion of one landing file while it is read. Each has a setting."""

from dataclasses import dataclass
from typing import Final

# What zstd itself takes for safe, and `zstd --long` writes: the window is held in memory.
ZSTD_WINDOW_MB: Final = 128
# The widest that zstd knows.
MAX_ZSTD_WINDOW_MB: Final = 2_048
# Logs of events shrink to a tenth or a hundredth. gzip can reach 1,030, zstd and Parquet any number.
MAX_EXPANSION: Final = 200
# Whatever a file is packed to, so much of it is read in seconds: small files of equal lines are no attack.
ALWAYS_ALLOWED_BYTES: Final = 268_435_456


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_expansion` is how many times its stored size a file may unpack to; 0 stands for any number of times."""

    zstd_window_mb: int = ZSTD_WINDOW_MB
    max_expansion: int = MAX_EXPANSION

    def allow(self, *, unpacked: int, stored: int) -> bool:
        """Tell whether so many unpacked bytes may come from so many stored ones."""
        return unpacked <= ALWAYS_ALLOWED_BYTES or not self.max_expansion or unpacked <= stored * self.max_expansion


DEFAULT_LIMITS: Final = Limits()
