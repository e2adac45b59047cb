"""The temporary tables: candidates, all copies that have to be compared, and removed, the rows of replaced loads."""

from typing import Final

from ingestion.schema import (
    ATTRIBUTION_COLUMN_NAMES,
    ATTRIBUTION_COLUMNS,
    CANDIDATE_COLUMN_NAMES,
    EVENT_COLUMN_NAMES,
    EVENT_COLUMNS,
)

# The columns of a candidate: in the temporary table, in raw.events and raw.attribution, and expanded from JSON.
COLUMNS: Final = f"{', '.join(CANDIDATE_COLUMN_NAMES)}, load_id, line_number, line_position"
STORED: Final = f"""{", ".join(f"events.{name}" for name in EVENT_COLUMN_NAMES)},
        {", ".join(f"attribution.{name}" for name in ATTRIBUTION_COLUMN_NAMES)},
        events.load_id, events.line_number, events.line_position"""
FROM_JSON: Final = ", ".join(f"candidate.{name}" for name in CANDIDATE_COLUMN_NAMES)


def content(events: str = "", attribution: str = "") -> str:
    """Return SQL for a 64-bit hash of all stored columns of an event but its load and line.

    Two rows made of one line by different rules differ in it, while their canonical hashes are equal.
    """
    columns = [f"{events}{name}" for name in EVENT_COLUMN_NAMES]
    columns += [f"{attribution}{name}" for name in ATTRIBUTION_COLUMN_NAMES]
    return f"hash_record_extended(row({', '.join(columns)}), 0)"


# Both states are one of accepted, duplicate and limited; a new copy is incoming first.
CREATE: Final = f"""
create temporary table candidates (
    {", ".join(f"{name} {definition}" for name, definition in (*EVENT_COLUMNS, *ATTRIBUTION_COLUMNS))},
    load_id bigint not null,
    line_number bigint not null,
    line_position integer not null,
    current_state text not null default 'incoming',
    target_state text not null default 'accepted'
) on commit drop;

create temporary table removed (
    event_date date not null,
    event_key text not null,
    canonical_hash bytea not null,
    received_at timestamptz not null,
    occurred_at timestamptz not null,
    source text not null,
    actor_id text,
    anonymous_id text,
    session_id uuid,
    was_accepted boolean not null,
    content bigint
) on commit drop;
"""

# Delete the rows of replaced file versions but for those of sealed days, and keep what is compared later.
REMOVE_REPLACED: Final = (
    f"""
    with events as (
        delete from raw.events
        where event_date = any(%(replaced_dates)s) and load_id = any(%(replaced)s)
        returning *
    ),
    attribution as (
        delete from raw.attribution
        where event_date = any(%(replaced_dates)s) and load_id = any(%(replaced)s)
        returning *
    )
    insert into removed
    select events.event_date, events.event_key, events.canonical_hash, events.received_at, events.occurred_at,
        events.source, events.actor_id, events.anonymous_id, events.session_id, true,
        {content("events.", "attribution.")}
    from events left join attribution using (event_date, event_key)
    """,
    """
    with replaced as (
        delete from raw.rejected_events
        where load_id = any(%(replaced)s) and (event_date is null or event_date >= ops.sealed_before())
        returning *
    )
    insert into removed
    select event.event_date, event.event_key, event.canonical_hash, event.received_at, event.occurred_at, event.source,
        event.actor_id, event.anonymous_id, event.session_id, false, null
    from replaced
    cross join lateral jsonb_populate_record(null::candidates, replaced.candidate) as event
    where replaced.candidate is not null
    """,
    "delete from raw.duplicate_events where load_id = any(%(replaced)s) and event_date >= ops.sealed_before()",
)
