"""Replacement of a subject's ids in stored events of other persons, whose days become stale."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import psycopg

from ingestion.schema import ATTRIBUTION_COLUMN_NAMES

# Texts of attribution that may mention an id. Click ids are random.
_MENTIONING: Final = (*ATTRIBUTION_COLUMN_NAMES[: ATTRIBUTION_COLUMN_NAMES.index("landing_page") + 1],)
_REPLACED: Final = "regexp_replace({}, %(pattern)s, %(redacted)s, 'g')"
_REPLACE_MENTIONS: Final = (
    f"""
    update raw.events set props = {_REPLACED.format("props::text")}::jsonb
    where props::text ~ %(pattern)s and event_date >= %(unsealed_from)s
        and occurred_at >= coalesce(%(erased_from)s::timestamptz, '-infinity')
    returning event_date
    """,
    f"""
    update raw.attribution
    set {", ".join(f"{name} = {_REPLACED.format(name)}" for name in _MENTIONING)}
    where concat_ws(' ', {", ".join(_MENTIONING)}) ~ %(pattern)s and event_date >= %(unsealed_from)s
        and (%(erased_from)s::timestamptz is null or exists (
            select from raw.events as events
            where events.event_date = attribution.event_date and events.event_key = attribution.event_key
                and occurred_at >= %(erased_from)s
        ))
    returning event_date
    """,
)
_REPLACE_ENTITIES: Final = """
    update raw.events set entity_id = replacement_id
    from unnest(%(entity_types)s::text[], %(entity_ids)s::text[], %(replacement_ids)s::text[])
        as entities (entity_type, entity_id, replacement_id)
    where events.entity_type = entities.entity_type and events.entity_id = entities.entity_id
        and event_date >= %(unsealed_from)s
        and occurred_at >= coalesce(%(erased_from)s::timestamptz, '-infinity')
    returning event_date
"""
_REPLACE_IN_COPIES: Final = tuple(
    f"""
    update raw.{table} set candidate = {_REPLACED.format("candidate::text")}::jsonb{extra}
    where candidate is not null and candidate::text ~ %(pattern)s
        and (candidate ->> 'occurred_at')::timestamptz >= coalesce(%(erased_from)s::timestamptz, '-infinity')
    """
    for table, extra in (("duplicate_events", ""), ("rejected_events", f", line = {_REPLACED.format('line')}"))
)
_MARK: Final = """
    insert into ops.stale_day_marks (event_date, layer, reason, change_id)
    select event_date, 'events', 'events_changed', %s::bigint from unnest(%s::date[]) as event_date
    on conflict (event_date, layer, reason) do update
    set change_id = excluded.change_id, recorded_at = excluded.recorded_at
"""


def replace_mentions(cursor: psycopg.Cursor, parameters: Mapping[str, Any], change_id: int) -> None:
    """Replace ids of entities and mentions in texts, and mark the event days whose stored events differ now.

    The parameters are those of raw_rows.py, with the entities and their replacements.
    """
    changed: set[date] = set()
    if parameters["entity_ids"]:
        changed |= {day for (day,) in cursor.execute(_REPLACE_ENTITIES, parameters)}
    if parameters["pattern"]:
        for statement in _REPLACE_MENTIONS:
            changed |= {day for (day,) in cursor.execute(statement, parameters)}
        for statement in _REPLACE_IN_COPIES:
            cursor.execute(statement, parameters)
    mark_changed(cursor, changed, change_id)


def mark_changed(cursor: psycopg.Cursor, days: Iterable[date], change_id: int) -> None:
    """Mark event days as stale since a change of raw."""
    cursor.execute(_MARK, [change_id, sorted(days)])
