"""The text that stands in place of personal data."""

from typing import Final

REDACTED: Final = "[redacted]"
