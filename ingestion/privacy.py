"""Functions of redaction/ by the rules of this checkout's seeds, for callers that have no rules of their own."""

from collections.abc import Callable, Iterable
from typing import Any

from ingestion.redaction.marker import REDACTED
from ingestion.redaction.redactor import Sealer, default_redactor, hide, nothing, redact_text

__all__ = ["REDACTED", "Sealer", "are_free", "hide", "is_clean", "nothing", "redact_text"]


def key_kind(key: str) -> str:
    """Return what a key says about its value."""
    return default_redactor().keys.kind(key)


def redact_short_text(text: str) -> str:
    """Redact a text of at most some hundred characters that is sent again and again."""
    return default_redactor().text(text)


def is_clean(props: dict[str, Any], encoded: bytes) -> bool:
    """Tell whether redacting these props would change nothing."""
    return default_redactor().is_clean(props, encoded)


def are_free(keys: Iterable[str]) -> bool:
    """Tell whether no key says that its value may be personal."""
    return default_redactor().is_free(keys)


def redact_value(value: Any, sealer: Sealer | None = None) -> Any:
    """Return a JSON value without personal data."""
    return default_redactor().value(value, sealer)


def is_personal(key: str, value: Any) -> bool:
    """Tell whether a rejected line must not show this value."""
    return default_redactor().keys.judge(key, value) != "keep"


def drop_addresses(value: Any) -> Any:
    """Return a JSON value without the keys that are never stored, at every depth, and otherwise as it was."""
    if isinstance(value, list):
        return [drop_addresses(item) for item in value]
    if isinstance(value, dict):
        keys = default_redactor().keys
        return {key: drop_addresses(inner) for key, inner in value.items() if keys.judge(key, inner) != "drop"}
    return value


def redact_loose_text(text: str, covers: Callable[[str], bool] = nothing) -> str:
    """Redact text that is no JSON."""
    return default_redactor().text(text, covers=covers)
