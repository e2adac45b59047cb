"""A stored event as it may leave the warehouse. Raw holds no personal data that the rules of its day knew; here today's
are applied once more, what was encrypted becomes `[redacted]`, and so do click ids, which advertising networks can
trace to a person. Ids of the product (actor, anonymous, session) stay: without them nothing can be followed up.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ingestion.contract import CLICK_IDS
from ingestion.encryption.tokens import PREFIX
from ingestion.redaction import REDACTED, Redactor, default_redactor
from ingestion.redaction.personal_ids import hashed_id
from ingestion.schema import ATTRIBUTION_COLUMNS, EVENT_COLUMNS

# The hash of the event as it was sent, with all that was redacted since: whoever guesses the rest can test it.
_KEPT_INSIDE: Final = frozenset({"canonical_hash"})

# Texts that a producer may send in place of what its user agent says.
_DEVICE: Final = frozenset({"device_type", "browser", "os"})

# Name and SQL type of what is exported, in order.
COLUMNS: Final = tuple(
    (name, definition.removesuffix(" not null"))
    for name, definition in (*EVENT_COLUMNS, *ATTRIBUTION_COLUMNS)
    if name not in _KEPT_INSIDE
)


def redacted(event: Mapping[str, Any], redactor: Redactor | None = None) -> dict[str, Any]:
    """Return the event without personal data, props as a mapping; by default by the rules of this checkout's seeds."""
    redactor = redactor or default_redactor()
    return {name: _KINDS[name](event[name], redactor) for name, _ in COLUMNS}


def _unchanged(value: Any, _: Redactor) -> Any:
    return value


def _hidden(value: Any, _: Redactor) -> Any:
    return value if value is None else REDACTED


def _text(value: Any, redactor: Redactor) -> Any:
    return value if value is None else redactor.text(value)


def _id(value: Any, _: Redactor) -> Any:
    # Stored before ids that name persons were hashed.
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


def _kind(name: str, data_type: str) -> Callable[[Any, Redactor], Any]:
    if name == "props":
        return _props
    if name in CLICK_IDS:
        return _hidden
    if name in dict(ATTRIBUTION_COLUMNS) or name in _DEVICE:
        return _text
    return _id if data_type == "text" else _unchanged


_KINDS: Final = {name: _kind(name, data_type) for name, data_type in COLUMNS}
