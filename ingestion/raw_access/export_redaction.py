"""Redaction of stored events for an export.

Events in raw were redacted by the rules of the time of their load; today's rules are applied once more. Encrypted
values become `[redacted]`. So do click ids, which advertising networks can trace to a person. Ids of the product
(actor, anonymous, session) stay, so that events of one visitor can be followed.
"""

from collections.abc import Mapping
from typing import Any, Final

from ingestion.contract import CLICK_IDS
from ingestion.encryption.tokens import PREFIX
from ingestion.redaction import REDACTED, Redactor, default_redactor
from ingestion.redaction.personal_ids import hashed_id
from ingestion.schema import ATTRIBUTION_COLUMNS, EVENT_COLUMNS

# A hash of the event before redaction: it would confirm a guess of the redacted values.
_NOT_EXPORTED: Final = frozenset({"canonical_hash"})
# Texts of UTM parameters, and those that a producer may send in place of its user agent.
_TEXTS: Final = {*dict(ATTRIBUTION_COLUMNS), "device_type", "browser", "os"}

# Names and SQL types of the exported columns, in order.
COLUMNS: Final = tuple(
    (name, definition.removesuffix(" not null"))
    for name, definition in (*EVENT_COLUMNS, *ATTRIBUTION_COLUMNS)
    if name not in _NOT_EXPORTED
)


def redact_event(event: Mapping[str, Any], redactor: Redactor | None = None) -> dict[str, Any]:
    """Return an event without personal data, props as a mapping. Default rules: the seeds of this checkout."""
    redactor = redactor or default_redactor()
    return {
        name: None if event[name] is None else _redacted(name, data_type, event[name], redactor)
        for name, data_type in COLUMNS
    }


def _redacted(name: str, data_type: str, value: Any, redactor: Redactor) -> Any:
    if name in CLICK_IDS:
        return REDACTED
    if name == "props":
        return redactor.value(_without_tokens(value))
    if name in _TEXTS:
        return redactor.text(value)
    # Versions before 2026-11 stored personal ids without hashing them.
    is_personal_id = data_type == "text" and hashed_id(value, b"", is_person=False) is not None
    return REDACTED if is_personal_id else value


def _without_tokens(value: Any) -> Any:
    if isinstance(value, str):
        return REDACTED if value.startswith(PREFIX) else value
    if isinstance(value, list):
        return [_without_tokens(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_tokens(inner) for key, inner in value.items()}
    return value
