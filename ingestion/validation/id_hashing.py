"""Hashing of event ids that are e-mail addresses or phone numbers, before anything is stored."""

import re
from typing import Any, Final

from ingestion.contract import ID_FIELDS, Event
from ingestion.redaction.personal_ids import hashed_field, may_be_personal
from ingestion.validation.notes import Note

_IDS: Final = tuple(
    (Event.__struct_fields__[Event.__struct_encode_fields__.index(field)], field) for field in ID_FIELDS
)
# An at sign or a plus as an HTML entity.
_ENTITY: Final = re.compile(rb"&(?:#|commat;|plus;)")
_AT, _PERCENT, _PLUS, _AMPERSAND = b"@%+&"


def hash_ids(event: Any, key: bytes) -> tuple[Note, ...]:
    """Replace the personal ids of an event by their keyed hashes. Returns a note for each."""
    notes = []
    for name, field in _IDS:
        text = getattr(event, name)
        if text is None or not may_be_personal(text):
            continue
        found = hashed_field(field, text, key)
        if found is not None:
            setattr(event, name, found)
            notes.append(Note("hashed_ids", field))
    return tuple(notes)


def may_name_person(line: bytes, event: Any) -> bool:
    """Return whether any id of an event may be personal. The line of the event has no escapes."""
    # A search for a byte by its number takes 0.03 µs, and a test of each id 1 µs (2026-11).
    if _AT in line or _PERCENT in line or not line.isascii():
        return True
    # Times end with +00:00, and URLs hold ampersands: neither is an id.
    if _PLUS in line and line.count(b"+") > line.count(b'+00:00"'):
        return True
    if _AMPERSAND in line and _ENTITY.search(line) is not None:
        return True
    actor, device = event.actor_id, event.anonymous_id
    return (actor is not None and actor[:2] == "00") or (device is not None and device[:2] == "00")
