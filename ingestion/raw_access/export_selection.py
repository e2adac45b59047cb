"""Which stored events are exported, and in which form. Reading them is in reading.py, writing in files.py."""

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
    """Nothing is exported; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Events of these days, of this entity, of this type; what is given must all hold, and days or an entity must be
    given. Raises ExportError."""

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
        cls,
        *,
        start: str | None = None,
        end: str | None = None,
        entity_type: str | None = None,
        entity_id: str | None = None,
        event_type: str | None = None,
    ) -> "Selection":
        """The selection that these texts mean. Raises ExportError."""
        try:
            days = Window.parse(start, end) if start or end else None
        except ValueError as error:
            raise ExportError(f"start and end: {error}") from None
        return cls(days, entity_type or None, entity_id or None, event_type or None)

    def of_stored_id(self, hash_key: bytes) -> "Selection":
        """Return the selection with the entity's id as it is stored: hashed where it is an address or phone number."""
        hashed = hashed_id(self.entity_id, hash_key, is_person=False) if self.entity_id else None
        return self if hashed is None else replace(self, entity_id=hashed)

    def file_name(self, format_: str, *, run_id: str) -> str:
        """The name of the file, with what is in it and which run wrote it. Raises ExportError."""
        if format_ not in _FORMATS:
            raise ExportError(f"format {format_!r} is none of {', '.join(_FORMATS)}")
        # A name of a file is seen by many: an address does not belong into it.
        entity_id = redact_text(self.entity_id) if self.entity_id else None
        parts = [part for part in (self.entity_type, entity_id, self.event_type) if part]
        if self.days is not None:
            parts += [self.days.start.isoformat(), self.days.end.isoformat()]
        # Ids may hold anything, and a name must not.
        plain = [re.sub(r"[^A-Za-z0-9_-]", "_", part)[:60] for part in ("events", *parts, run_id[:8])]
        return f"{'-'.join(plain)}.{format_}"
