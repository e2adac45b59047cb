"""Subjects: the ids that a request names, and all ids of the persons behind them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any, Self


class NoSubject(Exception):
    """A request that names no id."""


@dataclass(frozen=True, slots=True)
class NamedIds:
    """Ids as a request names them. E-mail addresses are those of the product's users."""

    persons: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.persons or self.devices or self.emails):
            raise NoSubject("name at least one actor id, anonymous id or e-mail address of the subject")

    @property
    def sent(self) -> tuple[str, ...]:
        """Return all ids as producers send them, which landing files hold."""
        return (*self.persons, *self.devices, *self.emails)


@dataclass(frozen=True, slots=True)
class Subject:
    """All ids of the subjects of a request, in their stored forms, and as producers send them."""

    persons: tuple[str, ...]
    devices: tuple[str, ...]
    shared_devices: tuple[str, ...]
    sessions: tuple[str, ...]
    email_hashes: tuple[str, ...]
    creators: tuple[str, ...]
    brands: tuple[str, ...]
    sent: tuple[str, ...]
    # Ids and keys of their events, which logs and samples of checks may name.
    events: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Return every id that must not be found anywhere afterwards."""
        kinds = (
            self.persons, self.devices, self.sessions, self.email_hashes, self.creators, self.brands, self.sent,
            self.events,
        )  # fmt: skip
        return tuple(dict.fromkeys(chain.from_iterable(kinds)))

    def as_json(self) -> dict[str, list[str]]:
        """Return the ids by kind, as a request keeps them until it is done."""
        return {name: list(ids) for name, ids in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the subject that a request has kept."""
        return cls(**{name: tuple(ids) for name, ids in stored.items()})
