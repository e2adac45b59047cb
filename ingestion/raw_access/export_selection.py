"""Selection of the events and the format of an export."""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from ingestion.contract import ENTITY_TYPES
from ingestion.redaction import redact_text
from ingestion.redaction.personal_ids import hashed_id
from warehouse.window import Window

Format = Literal["csv", "parquet"]
_FORMATS: Final = get_args(Format)


class ExportError(Exception):
    """An impossible export; the message says what to change."""


@dataclass(frozen=True, slots=True)
class ExportSelection:
    """A selection of events by days, entity and type. All given conditions must hold.

    Raises ExportError without days and entity, or for an invalid entity.
    """

    days: Window | None = None
    entity_type: str | None = None
    entity_id: str | None = None
    event_type: str | None = None

    def __post_init__(self) -> None:
        if bool(self.entity_type) != bool(self.entity_id):
            raise ExportError("an entity is entity_type and entity_id: give both, or neither")
        if self.entity_type and self.entity_type not in ENTITY_TYPES:
            raise ExportError(f"entity_type {self.entity_type!r} is none of {', '.join(ENTITY_TYPES)}")
        if self.days is None and not self.entity_id:
            raise ExportError("say which events: the days from start until before end, an entity, or both")

    @classmethod
    def parse(
        cls, start: str = "", end: str = "", entity_type: str = "", entity_id: str = "", event_type: str = ""
    ) -> "ExportSelection":
        """Read a selection from texts; an empty one counts as not given. Raises ExportError."""
        try:
            days = Window.parse(start, end) if start or end else None
        except ValueError as error:
            raise ExportError(f"start and end: {error}") from None
        return cls(days, entity_type or None, entity_id or None, event_type or None)

    def with_hashed_id(self, hash_key: bytes) -> "ExportSelection":
        """Return the selection with the stored form of the entity id: hashed if it is personal."""
        hashed = hashed_id(self.entity_id, hash_key, is_person=False) if self.entity_id else None
        return self if hashed is None else replace(self, entity_id=hashed)

    def file_name(self, format_: str, *, run_id: str) -> str:
        """Return a file name that names the selection and the run. Raises ExportError for an unknown format."""
        if format_ not in _FORMATS:
            raise ExportError(f"format {format_!r} is none of {', '.join(_FORMATS)}")
        # Names of files are widely visible, so they hold no personal data.
        entity_id = redact_text(self.entity_id) if self.entity_id else None
        parts = [part for part in (self.entity_type, entity_id, self.event_type) if part]
        if self.days is not None:
            parts += [self.days.start.isoformat(), self.days.end.isoformat()]
        # An id may hold any character, a file name may not.
        safe = [re.sub(r"[^A-Za-z0-9_-]", "_", part)[:60] for part in ("events", *parts, run_id[:8])]
        return f"{'-'.join(safe)}.{format_}"
