"""Redaction of stored events for an export.

Events in raw were redacted by the rules of the time of their load; today's rules are applied once more. Encrypted
values become `[redacted]`. So do click ids, which advertising networks can trace to a person. Ids of the product
(actor, anonymous, session) stay, so that events of one visitor can be followed.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ingestion.contract import CLICK_IDS
from ingestion.encryption.tokens import PREFIX
from ingestion.redaction import REDACTED, Redactor, default_redactor
from ingestion.redaction.personal_ids import hashed_id
from ingestion.schema import ATTRIBUTION_COLUMNS, EVENT_COLUMNS

# A hash of the event before redaction: it would confirm a guess of the redacted values.
_NOT_EXPORTED: Final = frozenset({"canonical_hash"})
# Free texts that a producer may send in place of its user agent.
_DEVICE: Final = frozenset({"device_type", "browser", "os"})

# Names and SQL types of the exported columns, in order.
COLUMNS: Final = tuple(
    (name, definition.removesuffix(" not null"))
    for name, definition in (*EVENT_COLUMNS, *ATTRIBUTION_COLUMNS)
    if name not in _NOT_EXPORTED
)


def redact_event(event: Mapping[str, Any], redactor: Redactor | None = None) -> dict[str, Any]:
    """Return an event without personal data, props as a mapping. Default rules: the seeds of this checkout."""
    redactor = redactor or default_redactor()
    return {name: _REDACTIONS[name](event[name], redactor) for name, _ in COLUMNS}


def _unchanged(value: Any, _: Redactor) -> Any:
    return value


def _removed(value: Any, _: Redactor) -> Any:
    return value if value is None else REDACTED


def _text(value: Any, redactor: Redactor) -> Any:
    return value if value is None else redactor.text(value)


def _id(value: Any, _: Redactor) -> Any:
    # Versions before 2026-11 stored personal ids without hashing them.
    return value if value is None or hashed_id(value, b"", is_person=False) is None else REDACTED


def _props(value: Any, redactor: Redactor) -> Any:
    return redactor.value(_without_tokens(value))


def _without_tokens(value: Any) -> Any:
    if isinstance(value, str):
        return REDACTED if value.startswith(PREFIX) else value
    if isinstance(value, list):
        return [_without_tokens(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_tokens(inner) for key, inner in value.items()}
    return value


def _redaction_of(name: str, data_type: str) -> Callable[[Any, Redactor], Any]:
    if name == "props":
        return _props
    if name in CLICK_IDS:
        return _removed
    if name in dict(ATTRIBUTION_COLUMNS) or name in _DEVICE:
        return _text
    return _id if data_type == "text" else _unchanged


_REDACTIONS: Final = {name: _redaction_of(name, data_type) for name, data_type in COLUMNS}
