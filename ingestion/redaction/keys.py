"""Keys whose values are personal data: rows of the seed personal_keys, applied to any form of a key.

A key in camelCase, snake_case or kebab-case is a sequence of words. Under keys of counts, such as tokenCount or
emailsSent, numbers are kept and all other values are redacted.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache, partial
from typing import Any, Final, Literal, NamedTuple, get_args

from ingestion.redaction.network import holds_address

Action = Literal["hide", "drop", "keep"]
Place = Literal["anywhere", "ending", "end", "whole", "url"]
KeyKind = Literal["harmless", "personal", "count", "contact", "dropped", "possible_address"]

_MAX_KEY_LENGTH: Final = 256
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
# Beside a personal word these say that a value is a count or a measure.
_COUNTING: Final = frozenset((
    "amount", "average", "avg", "bounced", "bytes", "clicked", "count", "counts", "delivered", "failed", "failures",
    "id", "ids", "index", "length", "limit", "max", "min", "num", "opened", "quota", "rate", "ratio", "received",
    "remaining", "score", "sent", "size", "spent", "step", "strength", "sum", "total", "totals", "tried", "tries",
    "unread", "usage", "used", "version",
))  # fmt: skip
_PLURALS: Final = frozenset({"cookies", "emails", "passwords", "secrets", "tokens"})
# Words that open sentences too: in prose they are keys only before a value with a digit or sign of a contact.
_CONTACTS: Final = frozenset((
    "auth", "bearer", "cell", "cellphone", "code", "cookie", "cookies", "email", "emails", "fax", "handy", "mail",
    "mobile", "phone", "phones", "pin", "tel", "telefon", "telephone", "whatsapp",
))  # fmt: skip
# A count has at most nine digits: phone and card numbers are longer.
_COUNT: Final = re.compile(r"\s*[+-]?[0-9]{1,9}(?:\.[0-9]{1,6})?\s*")


class PersonalKey(NamedTuple):
    """A row of the seed: a key in snake_case, the action on its values, and the place in a key where it counts.

    Places: `anywhere` and `end` compare whole words, `ending` also the end of a word, `whole` the entire key. `url`
    compares the entire name of a URL parameter, and no other key.
    """

    key: str
    action: Action
    place: Place

    @classmethod
    def parse(cls, key: str, action: str, place: str) -> "PersonalKey":
        """Read a row of the seed. Raises ValueError for an unknown action or place."""
        if not _words(key) or action not in get_args(Action) or place not in get_args(Place):
            raise ValueError(
                f"seed personal_keys, key {key!r}: action is one of {', '.join(get_args(Action))}, and place one of"
                f" {', '.join(get_args(Place))}"
            )
        return cls(key, action, place)  # type: ignore[arg-type]


class PersonalKeys:
    """Matcher of keys against the rows of the seed, with a bounded cache of results."""

    def __init__(self, rows: Iterable[PersonalKey]) -> None:
        by_action: dict[str, list[_Rule]] = {action: [] for action in get_args(Action)}
        for row in rows:
            by_action[row.action].append(_Rule(_words(row.key), _name(row.key), row.place))
        self._kept, self._dropped, self._redacted = (by_action[action] for action in ("keep", "drop", "hide"))
        self.kind = lru_cache(maxsize=2_048)(self._kind)
        self.url_kind = lru_cache(maxsize=2_048)(partial(self._kind, is_url=True))

    def action_for(self, key: str, value: Any) -> Action:
        """Return the action on a value under a key in JSON."""
        return _action_of(self.kind(key), value)

    def action_for_parameter(self, name: str, value: str) -> Action:
        """Return the action on the value of a URL parameter."""
        return _action_of(self.url_kind(name), value)

    def without_dropped(self, value: Any) -> Any:
        """Return a JSON value without the keys that are never stored, at every depth, and otherwise as it was."""
        if isinstance(value, list):
            return [self.without_dropped(item) for item in value]
        if isinstance(value, dict):
            return {
                key: self.without_dropped(inner)
                for key, inner in value.items()
                if self.action_for(key, inner) != "drop"
            }
        return value

    def _kind(self, key: str, is_url: bool = False) -> KeyKind:
        key = key[:_MAX_KEY_LENGTH]
        words, name = _words(key), _name(key)
        if any(rule.fits(words, name, is_url) for rule in self._kept):
            return "harmless"
        if any(rule.fits(words, name, is_url) for rule in self._dropped):
            return "dropped"
        if any(rule.fits(words, name, is_url) for rule in self._redacted):
            if not _COUNTING.isdisjoint(words) or (words and words[-1] in _PLURALS):
                return "count"
            return "contact" if len(words) == 1 and words[0] in _CONTACTS else "personal"
        # "IP" is also intellectual property (creatorIp): the value decides.
        return "possible_address" if words and words[-1] == "ip" else "harmless"


class _Rule(NamedTuple):
    words: tuple[str, ...]
    name: str
    place: Place

    def fits(self, words: tuple[str, ...], name: str, is_url: bool) -> bool:
        if name == self.name:
            return is_url or self.place != "url"
        if self.place in ("whole", "url"):
            return False
        size = len(self.words)
        if words[-size:] == self.words:
            return True
        if self.place == "end":
            return False
        if self.place == "ending" and any(word.endswith(self.name) for word in words):
            return True
        return any(words[start : start + size] == self.words for start in range(len(words) - size))


def _action_of(kind: KeyKind, value: Any) -> Action:
    match kind:
        case "harmless":
            return "keep"
        case "dropped":
            return "drop"
        case "possible_address":
            return "drop" if holds_address(value) else "keep"
        case "count" if _is_count(value):
            return "keep"
    return "hide"


def _is_count(value: Any) -> bool:
    if isinstance(value, str):
        return _COUNT.fullmatch(value) is not None
    return isinstance(value, int | float)


def _words(key: str) -> tuple[str, ...]:
    if not key.isascii():
        key = "".join(part for part in unicodedata.normalize("NFKD", key) if not unicodedata.combining(part))
    return tuple(word.lower() for word in _WORD.findall(key))


def _name(key: str) -> str:
    if not key.isascii():
        key = unicodedata.normalize("NFKD", key)
    return "".join(character for character in key.lower() if character.isalnum())
