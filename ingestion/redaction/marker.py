"""Text that replaces personal data."""

from typing import Final

REDACTED: Final = "[redacted]"
