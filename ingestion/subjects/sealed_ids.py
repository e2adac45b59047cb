"""Replacement of a subject's ids in sealed days, by random ids that are kept nowhere: counts of these days stay.

Sealed days are never built again. Their rows stay below the marts as long as a later day looks back on them, and in
marts for good. Copies and rejected lines of sealed days count nowhere and go as those of other days do.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import uuid4

import psycopg
from psycopg import sql

from ingestion.subjects.erased_ids import IdKind
from ingestion.subjects.id_columns import id_columns
from ingestion.subjects.subject import Subject

# The column with the day of a row, by the names that models use.
_DATE_COLUMNS: Final = ("event_date", "session_date", "conversion_date", "metric_date")
_DATE_COLUMN: Final = """
select column_name from information_schema.columns
where table_schema = %s and table_name = %s and column_name = any(%s) and data_type = 'date'
order by array_position(%s::text[], column_name::text)
limit 1
"""
# One row a visitor, from the first day to the last: what is left of it are the sealed days.
_LIFESPANS: Final = ("visitor_lifespans", "visitor_asset_last_seen")


def randomize_sealed_days(
    cursor: psycopg.Cursor,
    subject: Subject,
    *,
    sealed_before: date,
    replacements: Mapping[tuple[IdKind, str], str | None],
) -> dict[str, int]:
    """Replace the subject's ids in all rows of sealed days, in the caller's transaction. Return the rows by table.

    Creators and brands get the random id under which their other rows stay.
    """
    new_ids = _random_ids(subject, replacements)
    rows: dict[str, int] = {"raw.events": _randomize_events(cursor, subject, sealed_before)}
    _rename_events(cursor)
    for column in id_columns(cursor.connection, subject):
        if column.column == "id" or (column.schema == "raw" and column.table not in ("events",)):
            continue
        table = sql.Identifier(column.schema, column.table)
        day = cursor.execute(_DATE_COLUMN, [column.schema, column.table, [*_DATE_COLUMNS], [*_DATE_COLUMNS]]).fetchone()
        if day is None and column.table not in _LIFESPANS:
            continue  # built as a whole by every run
        names = {
            "table": table,
            "column": sql.Identifier(column.column),
            "type": sql.SQL(column.data_type),
            "values": sql.SQL("") if day else sql.SQL(_least(column.table)),
            "condition": sql.SQL("{} < %(sealed_before)s").format(sql.Identifier(day[0] if day else "last_date"))
            if day or column.table == "visitor_asset_last_seen"
            else sql.SQL("first_date < %(sealed_before)s"),
        }
        changed = cursor.execute(
            _REPLACE.format(**names),
            {
                "old": list(column.ids),
                "new": [new_ids[text] for text in column.ids],
                "sealed_before": sealed_before,
            },
        ).rowcount
        if changed:
            rows[column.name] = rows.get(column.name, 0) + changed
    return {table: count for table, count in rows.items() if count}


_REPLACE: Final = sql.SQL(
    """
    update {table} as stored set {column} = renamed.new_id::{type}{values}
    from unnest(%(old)s::text[], %(new)s::text[]) as renamed (old_id, new_id)
    where stored.{column}::text = renamed.old_id and {condition}
    """
)


def _least(table: str) -> str:
    """Return the further assignments by which the row of a visitor ends with the last sealed day."""
    if table != "visitor_lifespans":
        return ""
    return (
        ", last_date = least(last_date, %(sealed_before)s::date - 1),"
        " last_signed_in_date = least(last_signed_in_date, %(sealed_before)s::date - 1)"
    )


def _random_ids(subject: Subject, replacements: Mapping[tuple[IdKind, str], str | None]) -> dict[str, str]:
    """Return a random id for every id of the subject, also in the form in which models name visitors."""
    new: dict[str, str] = {}
    for prefix, ids in (
        ("actor:", subject.persons), ("anonymous:", subject.devices), ("session:", subject.sessions),
    ):  # fmt: skip
        for text in ids:
            new[text] = str(uuid4())
            new[f"{prefix}{text}"] = f"{prefix}{new[text]}"
    for kind, ids in ((IdKind.CREATOR, subject.creators), (IdKind.BRAND, subject.brands)):
        for text in ids:
            new[text] = replacements.get((kind, text)) or str(uuid4())
    return new


def _randomize_events(cursor: psycopg.Cursor, subject: Subject, sealed_before: date) -> int:
    """Give stored events of sealed days random keys, sessions and texts. Their actors and devices follow."""
    parameters: dict[str, Any] = {
        "persons": list(subject.persons),
        "devices": list(subject.devices),
        "sessions": list(subject.sessions),
        "sealed_before": sealed_before,
    }
    cursor.execute(
        """
        create temporary table sealed_events on commit drop as
        select event_date, event_key, event_id, gen_random_uuid() as new_id
        from raw.events
        where event_date < %(sealed_before)s and (actor_id = any(%(persons)s)
            or (actor_id is null and anonymous_id = any(%(devices)s))
            or (actor_id is null and anonymous_id is null and session_id::text = any(%(sessions)s)))
        """,
        parameters,
    )
    for table, values in (
        ("attribution", "referrer = null, landing_page = null"),
        ("events", "session_id = case when session_id is not null then new_id end, props = '{}', entity_id = null"),
    ):
        cursor.execute(
            f"update raw.{table} as stored set event_key = new_id::text, event_id = new_id, {values}"
            f" from sealed_events as sealed where stored.event_date < %(sealed_before)s"
            f" and stored.event_date = sealed.event_date and stored.event_key = sealed.event_key",
            parameters,
        )
    cursor.execute("select count(*) from sealed_events")
    (count,) = cursor.fetchone() or (0,)
    return int(count)


def _rename_events(cursor: psycopg.Cursor) -> None:
    """Give the events of sealed days their random ids in derived tables: as events, conversions and sessions."""
    for schema, table, column in cursor.execute(_EVENT_COLUMNS).fetchall():
        cursor.execute(
            sql.SQL(
                "update {table} as stored set {column} = sealed.new_id from sealed_events as sealed"
                " where stored.{column} = sealed.event_id"
            ).format(table=sql.Identifier(schema, table), column=sql.Identifier(column))
        )


# A session has the id of its first event, a conversion that of the converting event.
_EVENT_COLUMNS: Final = """
select table_schema, table_name, column_name
from information_schema.columns inner join information_schema.tables using (table_schema, table_name)
where table_schema in ('intermediate', 'build', 'rollups', 'marts') and table_type = 'BASE TABLE'
    and column_name in ('event_id', 'conversion_id', 'session_id') and data_type = 'uuid'
order by 1, 2, 3
"""
