"""Mentions of a subject's ids in the texts of other persons' events: paths, search terms, referrers, custom props."""

import re
from collections.abc import Iterable
from typing import Final

from ingestion.redaction.marker import REDACTED
from ingestion.subjects.subject import Subject

# Shorter ids, such as 17, occur in texts by chance. They count only as whole values of JSON.
MIN_LENGTH: Final = 6
_WORD: Final = "A-Za-z0-9_-"


def searched_ids(subject: Subject) -> list[str]:
    """Return the ids that other persons' texts may mention: of persons, devices and businesses."""
    found = (
        *subject.persons, *subject.devices, *subject.email_hashes, *subject.creators, *subject.brands, *subject.sent,
    )  # fmt: skip
    return sorted(set(found) - set(subject.shared_devices))


def pattern(ids: Iterable[str]) -> str:
    """Return a regular expression of Postgres and Python: an id between characters that no id has, or a whole value."""
    texts = sorted(ids, key=len, reverse=True)
    long = "|".join(_escape(text) for text in texts if len(text) >= MIN_LENGTH)
    short = "|".join(_escape(text) for text in texts if len(text) < MIN_LENGTH)
    parts = [
        *([f"(?<![{_WORD}])(?:{long})(?![{_WORD}])"] if long else []),
        *([f'(?<=")(?:{short})(?=")'] if short else []),
    ]
    return "|".join(parts)


def redact(text: str, compiled: re.Pattern[str]) -> str:
    """Replace every mention in a text."""
    return compiled.sub(REDACTED, text)


def _escape(text: str) -> str:
    # Both dialects take a backslash before any character that is no letter, digit or underscore.
    return re.sub(r"([^A-Za-z0-9_])", r"\\\1", text)
