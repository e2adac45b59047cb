"""Rejections: the outcome of an invalid line, with its redacted text and every reason."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from ingestion.contract import MAX_LINE_BYTES
from ingestion.landing.lines import EventArray, Unholdable
from ingestion.landing.objects import Oversized, Remainder
from ingestion.redaction.redactor import IsEncryptedKey, Redactor
from ingestion.validation.consent import line_declines, start_declines
from ingestion.validation.errors import AN_ARRAY, TOO_DEEP, Unreadable, read_document, validation_errors
from ingestion.validation.rejected_line import redact_line
from ingestion.validation.unstorable_text import escape_unstorable

_TOO_LONG: Final = f"line: longer than {MAX_LINE_BYTES} bytes"
_NO_REASON: Final = "line: not an event of the contract"
_NOT_READ: Final = {
    EventArray: AN_ARRAY,
    Oversized: _TOO_LONG,
    Remainder: "line: not JSON from here on; the objects before it were read",
}


class RejectedLine(msgspec.Struct, frozen=True, gc=False):
    """A line that cannot be used: its redacted text, its length as it was read, and every reason."""

    line: str
    line_bytes: int
    reasons: tuple[str, ...]


class NotTracked(msgspec.Struct, frozen=True, gc=False):
    """An event of a person who declined tracking: counted, and stored in no form."""


@dataclass(frozen=True, slots=True)
class RejectionExplainer:
    """Explainer of the invalid lines of one landing day. Slow, and for invalid lines only."""

    redactor: Redactor
    is_encrypted_key: IsEncryptedKey
    placeholders: Set[str]
    starts_at: datetime
    unsealed_at: datetime
    day_ends_at: datetime

    def explain(self, line: bytes) -> RejectedLine | NotTracked:
        """Return every reason against an invalid line."""
        if line_declines(line):
            return NotTracked()
        if len(line) > MAX_LINE_BYTES:
            return RejectedLine(redact_line(line, self.is_encrypted_key, self.redactor), len(line), (_TOO_LONG,))
        try:
            document = read_document(line)
            reasons = validation_errors(
                line,
                escape_unstorable(document) if isinstance(document, dict) else document,
                starts_at=self.starts_at,
                unsealed_at=self.unsealed_at,
                day_ends_at=self.day_ends_at,
                placeholders=self.placeholders,
            )
        except Unreadable as unreadable:
            reasons = (str(unreadable),)
        except RecursionError:
            reasons = (TOO_DEEP,)
        # Should no reason be found, which is a defect, the line is rejected all the same, and the reason shows it.
        reasons = reasons or (_NO_REASON,)
        return RejectedLine(redact_line(line, self.is_encrypted_key, self.redactor), len(line), reasons)

    def explain_unread(self, line: Oversized | EventArray | Remainder | Unholdable) -> RejectedLine | NotTracked:
        """Return the outcome of a line that was not read whole: oversized, an array, or no JSON behind its objects."""
        if isinstance(line, Unholdable):
            outcome = self.explain(line.content)
            if isinstance(outcome, NotTracked):
                return outcome
            others = (reason for reason in outcome.reasons if reason != _NO_REASON)
            return RejectedLine(outcome.line, outcome.line_bytes, (*line.reasons, *others))
        # The remainder of a line is no JSON, so that nothing in it is an answer about tracking.
        if not isinstance(line, Remainder) and start_declines(line.head):
            return NotTracked()
        kept = redact_line(line.head, self.is_encrypted_key, self.redactor)
        return RejectedLine(kept, line.line_bytes, (_NOT_READ[type(line)],))
