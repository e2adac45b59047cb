"""A stored event as it may leave the warehouse. Raw holds no personal data that the rules of its day knew; here today's
are applied once more, what was encrypted becomes `[redacted]`, and so do click ids, which advertising networks can
trace to a person. Ids of the product (actor, anonymous, session) stay: without them nothing can be followed up.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ingestion.contract import CLICK_IDS
from ingestion.encryption.tokens import PREFIX
from ingestion.privacy import REDACTED, redact_text, redact_value
from ingestion.schema import ATTRIBUTION_COLUMNS, EVENT_COLUMNS

# The hash of the event as it was sent, with all that was redacted since: whoever guesses the rest can test it.
_KEPT_INSIDE: Final = frozenset({"canonical_hash"})

# Name and SQL type of what is exported, in order.
COLUMNS: Final = tuple(
    (name, definition.removesuffix(" not null"))
    for name, definition in (*EVENT_COLUMNS, *ATTRIBUTION_COLUMNS)
    if name not in _KEPT_INSIDE
)


def redacted(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event without personal data; props as a mapping."""
    return {name: _RULES[name](event[name]) for name, _ in COLUMNS}


def _unchanged(value: Any) -> Any:
    return value


def _hidden(value: Any) -> Any:
    return value if value is None else REDACTED


def _text(value: Any) -> Any:
    return value if value is None else redact_text(value)


def _id(value: Any) -> Any:
    # A long id may look like a phone number; an address it is only with its sign.
    return redact_text(value) if value is not None and ("@" in value or "%40" in value) else value


def _props(value: Any) -> Any:
    return redact_value(_without_tokens(value))


def _without_tokens(value: Any) -> Any:
    if isinstance(value, str):
        return REDACTED if value.startswith(PREFIX) else value
    if isinstance(value, list):
        return [_without_tokens(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_tokens(inner) for key, inner in value.items()}
    return value


def _rule(name: str, data_type: str) -> Callable[[Any], Any]:
    if name == "props":
        return _props
    if name in CLICK_IDS:
        return _hidden
    if name in dict(ATTRIBUTION_COLUMNS):
        return _text
    return _id if data_type == "text" else _unchanged


_RULES: Final = {name: _rule(name, data_type) for name, data_type in COLUMNS}
