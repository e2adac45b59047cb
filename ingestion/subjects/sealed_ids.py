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
from ingestion.subjects.own_events import EVENT_IS_OWN, own_ids
from ingestion.subjects.subject import Subject
from warehouse.single_values import value_of

# The column with the day of a row, by the names that models use.
_DATE_COLUMNS: Final = ("event_date", "session_date", "conversion_date", "metric_date")
_DATE_COLUMN: Final = """
select column_name from information_schema.columns
where table_schema = %s and table_name = %s and column_name = any(%s) and data_type = 'date'
order by array_position(%s::text[], column_name::text)
limit 1
"""
_LEAST: Final = "{0} = least({0}, %(sealed_before)s::date - 1)"
# One row a visitor, over all days: the column that says whether sealed days are in it, and the assignments by which the
# row ends with the last sealed day.
_OVER_ALL_DAYS: Final = {
    "visitor_lifespans": ("first_date", f", {_LEAST.format('last_date')}, {_LEAST.format('last_signed_in_date')}"),
    "visitor_asset_last_seen": ("last_date", ""),
}


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
        if column.column == "id" or (column.schema == "raw" and column.table != "events"):
            continue
        day = value_of(cursor, _DATE_COLUMN, [column.schema, column.table, [*_DATE_COLUMNS], [*_DATE_COLUMNS]])
        date_column, values = (day, "") if day else _OVER_ALL_DAYS.get(column.table, (None, ""))
        if date_column is None:
            continue  # built as a whole by every run
        changed = cursor.execute(
            _REPLACE.format(
                table=sql.Identifier(column.schema, column.table),
                column=sql.Identifier(column.column),
                type=sql.SQL(column.data_type),
                values=sql.SQL(values),
                date=sql.Identifier(date_column),
            ),
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
    where stored.{column}::text = renamed.old_id and {date} < %(sealed_before)s
    """
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
    own = own_ids(subject.persons, subject.devices, subject.sessions)
    parameters: dict[str, Any] = {**own, "sealed_before": sealed_before}
    cursor.execute(
        f"""
        create temporary table sealed_events on commit drop as
        select event_date, event_key, event_id, gen_random_uuid() as new_id
        from raw.events
        where event_date < %(sealed_before)s and {EVENT_IS_OWN}
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
    return int(value_of(cursor, "select count(*) from sealed_events"))


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
