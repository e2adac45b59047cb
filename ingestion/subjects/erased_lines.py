"""Erasure of subjects from the text of a landing line: the whole event where it is theirs, else its mentions.

The job of a request knows the ids (`editors_of_subject`). A load knows only their hashes (`editor_of_erased_ids`).
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

import msgspec

from ingestion.landing.objects import is_json, objects_of
from ingestion.redaction.personal_ids import hashed_id
from ingestion.subjects.erased_ids import ENTITY_KINDS, ErasedIds, IdKind
from ingestion.subjects.mentions import pattern, redact, searched_ids
from ingestion.subjects.subject import Subject
from ingestion.validation.timestamps import parse_timestamp, to_microseconds
from warehouse.window import ONE_DAY

# Ids have at most 255 characters.
_QUOTED: Final = re.compile(rb'"((?:[^"\\]|\\.){1,255}+)"', re.DOTALL)
# Forms of an id that are not the id itself: escapes, encodings, letter case of an address.
_DISGUISED: Final = re.compile(rb"[\\@%+&]|[^\x00-\x7f]")
_NEVER: Final = re.compile(r"(?!)")
# The fields of an event whose ids are replaced in other persons' events, and the kind of the id.
_FIELDS: Final = {
    "entityId": None, "entity_id": None, "anonymousId": IdKind.DEVICE, "anonymous_id": IdKind.DEVICE,
}  # fmt: skip
_FIELD: Final = re.compile(rb'("(entityId|entity_id|anonymousId|anonymous_id)"\s*:\s*)"((?:[^"\\]|\\.)*+)"')
_decode: Final = msgspec.json.Decoder().decode

# Whether an id of a kind is erased for an event at a time (microseconds since 2000), and the id that takes its place.
Names = Callable[[IdKind, str, int], bool]
Replacement = Callable[[IdKind, str], str | None]


class LineEditor:
    """Editor of the lines of landing files.

    Args:
        names: Whether an id is erased.
        replacement: The random id in place of an entity's.
        hash_key: The setting WAREHOUSE_HASH_KEY, for ids that are e-mail addresses.
        landing_date: Its end is the time of events that have none.
        erased_from: Earlier events are left as they are, mentions too. In microseconds since 2000.
        mentioned: Ids that texts may mention.
        hints: All ids. Lines without any of them are passed over.
    """

    def __init__(
        self,
        names: Names,
        replacement: Replacement,
        *,
        hash_key: bytes,
        landing_date: date,
        erased_from: int | None = None,
        mentioned: Collection[str] = (),
        hints: Collection[str] = (),
    ) -> None:
        self._names = names
        self._replacement = replacement
        self._hash_key = hash_key
        self._at = to_microseconds(datetime.combine(landing_date + ONE_DAY, time.min, UTC))
        self._from = erased_from
        self._mention = re.compile(pattern(mentioned), re.IGNORECASE) if mentioned else _NEVER
        every = sorted(hints, key=len, reverse=True)
        # IGNORECASE: an address counts in any letter case.
        self._hint = re.compile(b"|".join(re.escape(text.encode()) for text in every), re.IGNORECASE) if every else None

    def edit(self, line: bytes) -> tuple[bytes, list[int]]:
        """Return a line without the subject, and the positions of the events that are erased from it.

        A line of one event becomes empty. From a line of several events theirs are cut, and the others move up.
        """
        if self._hint is not None and self._hint.search(line) is None and _DISGUISED.search(line) is None:
            return line, []
        if is_json(line):
            edited = self._edit_event(line)
            return (b"", [1]) if edited is None else (edited, [])
        pieces = objects_of(line)
        if not all(isinstance(piece, bytes) for _, piece in pieces):
            return (b"", [position for position, _ in pieces]) if self.names_any(line) else (line, [])
        edited_pieces = [(position, self._edit_event(piece)) for position, piece in pieces if isinstance(piece, bytes)]
        gone = [position for position, piece in edited_pieces if piece is None]
        if not gone and all(piece == old for (_, piece), (_, old) in zip(edited_pieces, pieces, strict=True)):
            return line, []
        return b"".join(piece for _, piece in edited_pieces if piece is not None), gone

    def names_any(self, line: bytes) -> bool:
        """Return whether a text that is no event names an erased person or device as one of its values."""
        if self._is_earlier(self._at):
            return False
        if self._hint is not None and self._hint.search(line) is not None:
            return True
        return any(
            self._names(kind, text, self._at)
            for quoted in set(_QUOTED.findall(line))
            if (text := self._stored(_unquoted(quoted)))
            for kind in (IdKind.PERSON, IdKind.DEVICE)
        )

    def _edit_event(self, line: bytes) -> bytes | None:
        """Return an event without mentions of erased ids; None if it is an erased subject's."""
        try:
            event = _decode(line)
        # A line that is not UTF-8 raises ValueError.
        except (msgspec.DecodeError, ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            return None if self.names_any(line) else line
        at = self._occurred(event)
        if self._is_earlier(at):
            return line
        if self._is_own(event, at):
            return None
        entity_kind = ENTITY_KINDS.get(str(event.get("entityType") or event.get("entity_type")).lower())

        def without(match: "re.Match[bytes]") -> bytes:
            kind = _FIELDS[match[2].decode()] or entity_kind
            text = self._stored(_unquoted(match[3]))
            if kind is None or text is None or not self._names(kind, text, at):
                return match[0]
            return match[1] + msgspec.json.encode(None if kind is IdKind.DEVICE else self._replacement(kind, text))

        edited = _FIELD.sub(without, line).decode("utf-8", "surrogateescape")
        return redact(edited, self._mention).encode("utf-8", "surrogateescape")

    def _is_earlier(self, at: int) -> bool:
        return self._from is not None and at < self._from

    def _is_own(self, event: Mapping[str, Any], at: int) -> bool:
        actor, device, session = (
            self._stored(event.get(camel) or event.get(snake))
            for camel, snake in (("actorId", "actor_id"), ("anonymousId", "anonymous_id"), ("sessionId", "session_id"))
        )
        if actor is not None:
            return self._names(IdKind.PERSON, actor, at)
        if device is not None:
            return self._names(IdKind.DEVICE, device, at)
        return session is not None and self._names(IdKind.SESSION, session.lower(), at)

    def _occurred(self, event: Mapping[str, Any]) -> int:
        try:
            return to_microseconds(parse_timestamp(str(event.get("occurredAt") or event.get("occurred_at"))))
        except ValueError:
            return self._at

    def _stored(self, sent: object) -> str | None:
        """Return the stored form of an id; None for an absent one."""
        if not isinstance(sent, str) or not (text := sent.strip()):
            return None
        return hashed_id(text, self._hash_key) or text


def editors_of_subject(
    subject: Subject, replacement: Replacement, *, hash_key: str, erased_from: datetime | None = None
) -> Callable[[date], LineEditor]:
    """Return a function from a landing day to the editor that erases one subject from its lines."""
    ids = {
        IdKind.PERSON: frozenset(subject.persons),
        IdKind.DEVICE: frozenset(subject.devices),
        IdKind.SESSION: frozenset(subject.sessions),
        IdKind.CREATOR: frozenset(subject.creators),
        IdKind.BRAND: frozenset(subject.brands),
    }
    mentioned = searched_ids(subject)

    def editor(landing_date: date) -> LineEditor:
        return LineEditor(
            lambda kind, text, _: text in ids[kind],
            replacement,
            hash_key=hash_key.encode(),
            landing_date=landing_date,
            erased_from=None if erased_from is None else to_microseconds(erased_from),
            mentioned=mentioned,
            hints={*mentioned, *subject.sessions},
        )

    return editor


def editor_of_erased_ids(erased: ErasedIds, *, hash_key: bytes, landing_date: date) -> LineEditor:
    """Return the editor of a landing day's lines by the hashes of erased ids."""
    return LineEditor(erased.names, erased.replacement, hash_key=hash_key, landing_date=landing_date)


def _unquoted(quoted: bytes) -> str:
    try:
        return str(_decode(b'"' + quoted + b'"'))
    except (msgspec.DecodeError, ValueError):
        return quoted.decode("utf-8", "replace")
