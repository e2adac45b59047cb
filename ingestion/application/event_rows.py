"""Conversion of the application's tables `events` and `attribution` to JSON lines, as a tracker sends them.

The validation of lines decides about every value; this module does not.

- Missing columns and nulls are absent fields; undeclared columns are not read.
- A row lands on the UTC day of its arrival: `received_at`, else `created_at`, else `occurred_at`.
- Of several attribution rows of an event the least counts, in the order of the texts of its columns, nulls last.
- `props_json` is jsonb, json or text. A text that is no JSON stays a text, which validation rejects.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import psycopg

from ingestion.application.schema import READABLE_TYPES
from ingestion.application.source import ApplicationSchemaError, column_types, source_errors
from ingestion.contract import MAX_LINE_BYTES, Attribution, Context, Event, camel_keys
from ingestion.landing.objects import is_json
from warehouse.single_values import value_of
from warehouse.window import Window

EVENTS: Final = "events"
ATTRIBUTION: Final = "attribution"

_REQUIRED: Final = ("id", "occurred_at", "event_type")
_OCCURRED: Final = "occurred_at"
# The time of arrival is in the first of these columns that the table has.
_ARRIVED: Final = ("received_at", "created_at")
_PROPS: Final = "props_json"
# The columns of the two tables, by the keys and sections of an event. IP addresses are not read: nothing uses them.
_EVENT_KEYS: Final = {
    "id": "eventId",
    "event_type": "eventType",
    "source": "source",
    _PROPS: "props",
    **{
        column: key
        for column, key in camel_keys(Event).items()
        if column not in ("event_id", "event_type", _OCCURRED, "received_at")
    },
}
_CONTEXT_KEYS: Final = camel_keys(Context) | {"browser": "browser", "os": "os"}
_EVENT_CONTEXT: Final = ("user_agent", "do_not_track")
_DEVICE: Final = ("device_type", "browser", "os")
_ATTRIBUTION_KEYS: Final = {field.name: field.encode_name for field in msgspec.structs.fields(Attribution)}
_UNBOUNDED: Final = frozenset({"text", "varchar", "bpchar", "json", "jsonb", "citext"})

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Line:
    """One event as a line, without its end, and its number of attribution rows."""

    text: bytes
    attributions: int


@dataclass(frozen=True, slots=True)
class _Selected:
    """A column of the query: its table and name, and the key and section of its value in the event."""

    table: str
    column: str
    key: str
    section: str | None = None


class EventRows:
    """Reader of the two tables, for the columns that this application has."""

    def __init__(self, event_types: dict[str, str], attribution_types: dict[str, str]) -> None:
        self._types = {EVENTS: event_types, ATTRIBUTION: attribution_types}
        self._arrived = next((column for column in _ARRIVED if column in event_types), None)
        sections: list[tuple[str, dict[str, str], str | None]] = [
            (EVENTS, _EVENT_KEYS, None),
            (EVENTS, {column: _CONTEXT_KEYS[column] for column in _EVENT_CONTEXT}, "context"),
            (ATTRIBUTION, {column: _CONTEXT_KEYS[column] for column in _DEVICE}, "context"),
            (ATTRIBUTION, _ATTRIBUTION_KEYS, "attribution"),
        ]
        selected = [_Selected(EVENTS, _OCCURRED, "occurredAt")]
        if self._arrived:
            selected.append(_Selected(EVENTS, self._arrived, "receivedAt"))
        selected += [
            _Selected(table, column, key, section)
            for table, keys, section in sections
            for column, key in keys.items()
            if column in self._types[table]
        ]
        self._selected = tuple(selected)

    @classmethod
    def from_source(cls, source: psycopg.Connection) -> "EventRows":
        """Find the columns of the application, and check them against the declared ones.

        Raises ApplicationSchemaError when `events` is missing or lacks a required column, and ApplicationUnavailable
        without the right to read it. `attribution` and all other columns may be missing.
        """
        events = column_types(source, EVENTS)
        if not events:
            raise ApplicationSchemaError(
                f"the application has no table {EVENTS}. Create it, let APP_DATABASE_URL point to the database and"
                " search path that hold it, or set WAREHOUSE_EVENT_SOURCE=files"
            )
        if missing := [column for column in _REQUIRED if column not in events]:
            raise ApplicationSchemaError(
                f"the application's table {EVENTS} has no column {', '.join(missing)}. Add it, or a view of the same"
                f" name that provides it; found: {', '.join(sorted(events))}"
            )
        readable = READABLE_TYPES["timestamptz"] or frozenset()
        for column in (_OCCURRED, *_ARRIVED):
            if column in events and events[column] not in readable:
                raise ApplicationSchemaError(
                    f"the application's column {EVENTS}.{column} is of type {events[column]}, which says no time. Make"
                    f" it one of {', '.join(sorted(readable))}"
                )
        attribution = column_types(source, ATTRIBUTION)
        if attribution and "event_id" not in attribution:
            raise ApplicationSchemaError(f"the application's table {ATTRIBUTION} has no column event_id. Add it")
        return cls(events, attribution)

    def lines(self, source: psycopg.Connection, window: Window) -> Generator[Line, None, None]:
        """Yield the events that arrived in the window, by (time, id, content), with one row in memory at a time."""
        with source_errors(source, EVENTS), source.cursor() as cursor, cursor.copy(self._query(window)) as copy:
            for *values, attributions in copy.rows():
                yield Line(self._line(values), int(attributions))

    def count_undated(self, source: psycopg.Connection) -> int:
        """Return the number of rows without a landing day, because their time is missing or infinite."""
        arrived = self._arrived or _OCCURRED
        # Written so that indexes on the times serve it.
        condition = f"{arrived} in ('infinity', '-infinity') or {arrived} is null"
        if self._arrived:
            condition += f" and ({_OCCURRED} is null or {_OCCURRED} in ('infinity', '-infinity'))"
        with source_errors(source, EVENTS):
            return int(value_of(source, f"select count(*) from {EVENTS} where {condition}"))

    def _line(self, values: list[Any]) -> bytes:
        event: dict[str, Any] = {}
        for selected, value in zip(self._selected, values, strict=True):
            if value is not None:
                target = event if selected.section is None else event.setdefault(selected.section, {})
                target[selected.key] = _json_of(value) if selected.column == _PROPS else value
        return _encode(event)

    def _query(self, window: Window) -> str:
        arrived = self._in(window)
        columns = {
            table: [selected.column for selected in self._selected if selected.table == table]
            for table in (EVENTS, ATTRIBUTION)
        }
        attribution = "select null as event_id, 0 as attributions where false"
        if self._types[ATTRIBUTION]:
            kept = ", ".join(columns[ATTRIBUTION]) or "null"
            texts = ", ".join(["event_id::text", *self._texts(ATTRIBUTION, columns[ATTRIBUTION])])
            # As text where the types of the two ids differ.
            is_same = self._types[EVENTS]["id"] == self._types[ATTRIBUTION]["event_id"]
            event_id, id_ = ("event_id", "id") if is_same else ("event_id::text", "id::text")
            attribution = f"""
                select distinct on (event_id) event_id, {kept}, count(*) over (partition by event_id) as attributions
                from (
                    select {texts} from {ATTRIBUTION} where {event_id} in (select {id_} from {EVENTS} where {arrived})
                ) as attribution
                order by {", ".join(["event_id", *map(_by_text, columns[ATTRIBUTION])])}
            """
        names = {EVENTS: "event", ATTRIBUTION: "attribution"}
        selected = ", ".join(f"{names[selected.table]}.{selected.column}" for selected in self._selected)
        order = ", ".join(_by_text(f"event.{column}") for column in (_OCCURRED, "id", *columns[EVENTS]))
        return f"""
            copy (
                select {selected}, coalesce(attribution.attributions, 0)
                from (select {", ".join(self._texts(EVENTS, columns[EVENTS]))} from {EVENTS} where {arrived}) as event
                left join ({attribution}) as attribution on attribution.event_id = event.id
                order by {order}
            ) to stdout
        """

    def _in(self, window: Window) -> str:
        """Return the condition that a row of `events` arrived in the window, in a form that can use an index."""
        within = f"({{0}} >= '{window.starts_at}'::timestamptz and {{0}} < '{window.ends_at}'::timestamptz)"
        occurred = within.format(_OCCURRED)
        if not self._arrived:
            return occurred
        return f"({within.format(self._arrived)} or ({self._arrived} is null and {occurred}))"

    def _texts(self, table: str, columns: list[str]) -> list[str]:
        """Return columns as texts, cut a little above the limit of a line, which still rejects them."""
        texts = []
        for name in columns:
            if name in (_OCCURRED, self._arrived):
                texts.append(f"{name}::timestamptz::text as {name}")
            elif self._types[table][name] in _UNBOUNDED:
                texts.append(f"left({name}::text, {MAX_LINE_BYTES}) as {name}")
            else:
                texts.append(f"{name}::text as {name}")
        return texts


def _json_of(text: str) -> msgspec.Raw | str:
    """Return a text that is JSON unchanged but on one line; parsers differ on repeated keys, so they are kept."""
    encoded = text.encode()
    if not is_json(encoded):
        return text
    # In JSON, line ends occur between tokens only: inside a text they are escaped.
    return msgspec.Raw(encoded.replace(b"\n", b" ").replace(b"\r", b" "))


def _by_text(column: str) -> str:
    return f'{column} collate "C"'
