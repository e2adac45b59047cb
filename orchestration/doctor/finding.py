"""Findings of the doctor: a line each, with what to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Levels of findings; a fault makes the exit code 1."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one examination: its subject, its level, what was found, and what to do about it."""

    subject: str
    level: Level
    text: str
    advice: str = ""


Examination = Callable[[], Iterator[Finding]]


def ok(subject: str, text: str) -> Finding:
    """Return a finding that asks for nothing."""
    return Finding(subject, Level.OK, text)


def warning(subject: str, text: str, advice: str) -> Finding:
    """Return a finding that may wait."""
    return Finding(subject, Level.WARNING, text, advice)


def fault(subject: str, text: str, advice: str) -> Finding:
    """Return a finding about which a person has to act."""
    return Finding(subject, Level.FAULT, text, advice)


def examined(subject: str, examination: Examination) -> list[Finding]:
    """Return the findings of an examination. One that cannot be made is a fault of its own."""
    try:
        return list(examination())
    except Exception as error:  # noqa: BLE001
        text = " ".join(str(error).split()) or "without a message"
        return [fault(subject, f"cannot be examined: {type(error).__name__}: {text}", "correct what the message names")]
