"""Erasure of a subject's rows from raw: events, duplicates and rejected lines, with the counts of their loads.

The rows leave as those of a corrected file do: other copies take their place, limits are decided again, and days whose
stored events differ become stale. Mentions in other persons' events are replaced.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import psycopg

from ingestion.deduplication import candidates
from ingestion.deduplication.resolve import resolve
from ingestion.redaction.marker import REDACTED
from ingestion.subjects.mentions import pattern, searched_ids
from ingestion.subjects.other_events import replace_mentions
from ingestion.subjects.own_events import CANDIDATE_IS_OWN, EVENT_IS_OWN, own_ids
from ingestion.subjects.subject import Subject
from warehouse.single_values import value_of

_CREATE: Final = """
create temporary table erased_rows (
    load_id bigint not null, line_number bigint not null, line_position integer not null,
    state text not null, is_late boolean not null
) on commit drop
"""


_SINCE: Final = "coalesce(%(erased_from)s::timestamptz, '-infinity')"
_EVENT_IS_OWN: Final = f"({EVENT_IS_OWN} and occurred_at >= {_SINCE})"
_CANDIDATE_IS_OWN: Final = f"({CANDIDATE_IS_OWN} and (candidate ->> 'occurred_at')::timestamptz >= {_SINCE})"
_DELETE: Final = (
    f"""
    with events as (
        delete from raw.events where {_EVENT_IS_OWN} and event_date >= %(unsealed_from)s returning *
    ),
    attribution as (
        delete from raw.attribution
        using (select event_date, event_key from raw.events
            where {_EVENT_IS_OWN} and event_date >= %(unsealed_from)s) as own
        where attribution.event_date = own.event_date and attribution.event_key = own.event_key
        returning attribution.*
    ),
    counted as (
        insert into erased_rows
        select load_id, line_number, line_position, 'accepted', event_date < landing_date - 1
        from events inner join ops.loads using (load_id)
    )
    insert into removed
    select events.event_date, events.event_key, events.canonical_hash, events.received_at, events.occurred_at,
        events.source, events.actor_id, events.anonymous_id, events.session_id, true,
        {candidates.content("events.", "attribution.")}
    from events left join attribution using (event_date, event_key)
    """,
    f"""
    with deleted as (
        delete from raw.duplicate_events
        where {_CANDIDATE_IS_OWN}
        returning load_id, line_number, line_position
    )
    insert into erased_rows select *, 'duplicate', false from deleted
    """,
    # Rate-limited events count as events; other rejected lines are the subject's if they mention an id.
    f"""
    with deleted as (
        delete from raw.rejected_events as rejected
        using ops.loads
        where loads.load_id = rejected.load_id and case
            when candidate is not null then {_CANDIDATE_IS_OWN}
            else %(pattern)s <> '' and line ~ %(pattern)s
                and loads.landing_date >= coalesce(%(erased_from)s::timestamptz::date, '-infinity')
        end
        returning rejected.*
    ),
    counted as (
        insert into erased_rows select load_id, line_number, line_position, 'rejected', false from deleted
    )
    insert into removed
    select event.event_date, event.event_key, event.canonical_hash, event.received_at, event.occurred_at, event.source,
        event.actor_id, event.anonymous_id, event.session_id, false, null
    from deleted
    cross join lateral jsonb_populate_record(null::candidates, deleted.candidate) as event
    where deleted.candidate is not null
    """,
)
_COUNT: Final = """
    update ops.loads
    set accepted = accepted - counts.of_accepted, duplicates = duplicates - counts.of_duplicates,
        rejected = rejected - counts.of_rejected, late = late - counts.of_late, erased = erased + counts.of_all,
        change_id = %(change_id)s
    from (
        select load_id, count(*) as of_all,
            count(*) filter (where state = 'accepted') as of_accepted,
            count(*) filter (where state = 'duplicate') as of_duplicates,
            count(*) filter (where state = 'rejected') as of_rejected,
            count(*) filter (where is_late) as of_late
        from erased_rows group by load_id
    ) as counts
    where loads.load_id = counts.load_id
"""


def parameters_of(
    subject: Subject, *, erased_from: datetime | None = None, unsealed_from: date = date.min
) -> dict[str, Any]:
    """Return the parameters of this module's statements."""
    return {
        **own_ids(subject.persons, subject.devices, subject.sessions),
        "erased_from": erased_from,
        "unsealed_from": unsealed_from,
        "pattern": pattern(searched_ids(subject)),
        "redacted": REDACTED,
    }


def count_rows(cursor: psycopg.Cursor, subject: Subject, **bounds: Any) -> dict[str, int]:
    """Return the number of the subject's rows by table, without changing anything."""
    parameters = parameters_of(subject, **bounds)
    counts = {}
    for table, condition in (
        ("raw.events", f"{_EVENT_IS_OWN} and event_date >= %(unsealed_from)s"),
        ("raw.duplicate_events", _CANDIDATE_IS_OWN),
        (
            "raw.rejected_events",
            f"case when candidate is not null then {_CANDIDATE_IS_OWN}"
            " else %(pattern)s <> '' and line ~ %(pattern)s end",
        ),
    ):
        counts[table] = value_of(cursor, f"select count(*) from {table} where {condition}", parameters)
    return counts


def erase_rows(
    cursor: psycopg.Cursor,
    subject: Subject,
    *,
    change_id: int,
    entities: Mapping[tuple[str, str], str | None],
    erased_from: datetime | None = None,
    unsealed_from: date = date.min,
) -> dict[str, int]:
    """Erase the subject's events in the caller's transaction, which holds the lock of ops.loads.

    Returns the number of erased rows by table.

    Args:
        cursor: A cursor in a transaction.
        subject: All ids of the subject.
        change_id: The change of raw that the erasure is.
        entities: The random id, or None, that takes the place of (entity type, id) in other persons' events.
        erased_from: Only events from then on are erased.
        unsealed_from: Only events from this day on are erased.
    """
    parameters = parameters_of(subject, erased_from=erased_from, unsealed_from=unsealed_from)
    parameters |= {
        "change_id": change_id,
        "entity_types": [kind for kind, _ in entities],
        "entity_ids": [entity_id for _, entity_id in entities],
        "replacement_ids": list(entities.values()),
    }
    cursor.execute(candidates.CREATE)
    cursor.execute(_CREATE)
    for statement in _DELETE:
        cursor.execute(statement, parameters)
    cursor.execute(_COUNT, parameters)
    cursor.execute("select state, count(*) from erased_rows group by state")
    by_state: dict[str, int] = dict(cursor.fetchall())
    cursor.execute("select distinct event_date from removed")
    removed = {day for (day,) in cursor}
    resolve(cursor, change_id=change_id, removed_dates=removed)
    replace_mentions(cursor, parameters, change_id)
    return {
        "raw.events": by_state.get("accepted", 0),
        "raw.duplicate_events": by_state.get("duplicate", 0),
        "raw.rejected_events": by_state.get("rejected", 0),
    }
