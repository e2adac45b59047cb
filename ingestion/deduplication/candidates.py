"""The table of all copies that have to be compared, and the rows of replaced loads, which are taken out first."""

from typing import Final

from ingestion.schema import (
    ATTRIBUTION_COLUMN_NAMES,
    ATTRIBUTION_COLUMNS,
    CANDIDATE_COLUMN_NAMES,
    EVENT_COLUMN_NAMES,
    EVENT_COLUMNS,
)

# All columns of the table that a copy travels in; as it is stored in raw; and as it is spread out from JSON.
COLUMNS: Final = f"{', '.join(CANDIDATE_COLUMN_NAMES)}, load_id, line_number, line_position"
STORED: Final = f"""{", ".join(f"events.{name}" for name in EVENT_COLUMN_NAMES)},
        {", ".join(f"attribution.{name}" for name in ATTRIBUTION_COLUMN_NAMES)},
        events.load_id, events.line_number, events.line_position"""
SPREAD: Final = ", ".join(f"candidate.{name}" for name in CANDIDATE_COLUMN_NAMES)


def content(events: str = "", attribution: str = "") -> str:
    """Return SQL for a hash (64 bits) of all that is stored of an event, wherever it came from.

    Two rows of one key that other rules have made of one line differ in it, while their canonical hashes are equal.
    """
    columns = [f"{events}{name}" for name in EVENT_COLUMN_NAMES]
    columns += [f"{attribution}{name}" for name in ATTRIBUTION_COLUMN_NAMES]
    return f"hash_record_extended(row({', '.join(columns)}), 0)"


# `standing` is where a copy is now (incoming, accepted, duplicate, limited), `verdict` where it belongs.
CREATE: Final = f"""
create temporary table contenders (
    {", ".join(f"{name} {definition}" for name, definition in (*EVENT_COLUMNS, *ATTRIBUTION_COLUMNS))},
    load_id bigint not null,
    line_number bigint not null,
    line_position integer not null,
    standing text not null default 'incoming',
    verdict text not null default 'accepted'
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

# Take out the rows of file versions that are replaced, and remember what they were.
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
    with gone as (
        delete from raw.rejected_events where load_id = any(%(replaced)s) returning *
    )
    insert into removed
    select event.event_date, event.event_key, event.canonical_hash, event.received_at, event.occurred_at, event.source,
        event.actor_id, event.anonymous_id, event.session_id, false, null
    from gone
    cross join lateral jsonb_populate_record(null::contenders, gone.candidate) as event
    where gone.candidate is not null
    """,
    "delete from raw.duplicate_events where load_id = any(%(replaced)s)",
)
