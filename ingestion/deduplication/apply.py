"""From where copies are to where they belong, and what follows: counts of the ledger, days that have changed."""

from typing import Final

from ingestion.deduplication.candidates import content
from ingestion.schema import ATTRIBUTION_COLUMN_NAMES, CANDIDATE_COLUMN_NAMES, EVENT_COLUMN_NAMES

_EVENT_COLUMNS: Final = ", ".join(EVENT_COLUMN_NAMES)
_ATTRIBUTION_COLUMNS: Final = ", ".join(ATTRIBUTION_COLUMN_NAMES)
_PLACE: Final = "load_id, line_number, line_position"
# A third quicker than to take the other columns out of the whole row's JSON.
_CANDIDATE: Final = f"(select {', '.join(f'moved.{name}' for name in CANDIDATE_COLUMN_NAMES)}) as candidate"
_CANDIDATE_JSON: Final = f"(select to_jsonb(candidate) from {_CANDIDATE})"

# Move what has to move; copies that stay where they are are not written again.
MOVE_OUT: Final = (
    """
    delete from raw.attribution as attribution using contenders as moved
    where moved.standing = 'accepted' and moved.verdict <> 'accepted'
        and attribution.event_date = any(%(dates)s)
        and attribution.event_date = moved.event_date and attribution.event_key = moved.event_key
    """,
    """
    delete from raw.events as events using contenders as moved
    where moved.standing = 'accepted' and moved.verdict <> 'accepted'
        and events.event_date = any(%(dates)s)
        and events.event_date = moved.event_date and events.event_key = moved.event_key
    """,
    """
    delete from raw.duplicate_events as duplicates using contenders as moved
    where moved.standing = 'duplicate' and moved.verdict <> 'duplicate'
        and duplicates.load_id = moved.load_id and duplicates.line_number = moved.line_number
        and duplicates.line_position = moved.line_position
    """,
    """
    delete from raw.rejected_events as rejected using contenders as moved
    where moved.standing = 'limited' and moved.verdict <> 'limited'
        and rejected.load_id = moved.load_id and rejected.line_number = moved.line_number
        and rejected.line_position = moved.line_position
    """,
)

MOVE_IN: Final = (
    f"""
    insert into raw.events ({_EVENT_COLUMNS}, {_PLACE})
    select {_EVENT_COLUMNS}, {_PLACE}
    from contenders
    where verdict = 'accepted' and standing <> 'accepted'
    """,
    f"""
    insert into raw.attribution (event_date, event_key, event_id, {_ATTRIBUTION_COLUMNS}, {_PLACE})
    select event_date, event_key, event_id, {_ATTRIBUTION_COLUMNS}, {_PLACE}
    from contenders
    where verdict = 'accepted' and standing <> 'accepted'
        and coalesce({_ATTRIBUTION_COLUMNS}) is not null
    """,
    f"""
    insert into raw.duplicate_events
        (event_date, event_key, received_at, occurred_at, canonical_hash, candidate, {_PLACE})
    select event_date, event_key, received_at, occurred_at, canonical_hash, {_CANDIDATE_JSON}, {_PLACE}
    from contenders as moved
    where verdict = 'duplicate' and standing <> 'duplicate'
    """,
    f"""
    insert into raw.rejected_events
        (line, line_bytes, reasons, event_date, event_key, candidate, {_PLACE})
    select line, octet_length(line), array['rate_limited'], event_date, event_key, candidate, {_PLACE}
    from (
        select candidate::text as line, *
        from (
            select {_CANDIDATE_JSON} as candidate, event_date, event_key, {_PLACE}
            from contenders as moved
            where verdict = 'limited' and standing <> 'limited'
            -- Works out each candidate once and not at every mention.
            offset 0
        ) as candidates
        offset 0
    ) as lines
    """,
    """
    update ops.loads
    set accepted = loads.accepted + moves.accepted,
        duplicates = loads.duplicates + moves.duplicates,
        rejected = loads.rejected + moves.limited,
        late = loads.late + moves.late
    from (
        select contenders.load_id,
            sum((verdict = 'accepted')::int - (standing = 'accepted')::int) as accepted,
            sum((verdict = 'duplicate')::int - (standing = 'duplicate')::int) as duplicates,
            sum((verdict = 'limited')::int - (standing = 'limited')::int) as limited,
            sum(((verdict = 'accepted')::int - (standing = 'accepted')::int)
                * (contenders.event_date < owner.landing_date - 1)::int) as late
        from contenders
        inner join ops.loads as owner using (load_id)
        where verdict <> standing
        group by contenders.load_id
    ) as moves
    where loads.load_id = moves.load_id
    """,
)

# An event day has changed when what is stored of it says something else than before, not when equal copies swapped.
_SAME: Final = """before.event_date = after.event_date and before.event_key = after.event_key
        and before.content = after.content"""
_COMPARED: Final = f"event_date, event_key, {content()} as content"
RECORD_CHANGES: Final = (
    f"""
    insert into ops.stale_day_marks (event_date, layer, reason, change_id)
    with before as not materialized (
        select {_COMPARED} from contenders
        where standing = 'accepted' and verdict <> 'accepted' and load_id <> all(%(fresh)s)
        union all
        select event_date, event_key, content from removed where was_accepted
    ),
    after as not materialized (
        select {_COMPARED} from contenders where verdict = 'accepted' and standing <> 'accepted'
    ),
    different as (
        select event_date from before where not exists (select from after where {_SAME})
        union all
        select event_date from after where not exists (select from before where {_SAME})
        union all
        -- Of what this load has stored at once, with keys that nothing of the day had before, something has stayed.
        select placed.event_date
        from unnest(%(placed_dates)s::date[], %(placed_rows)s::bigint[]) as placed (event_date, event_rows)
        where placed.event_rows > (
            select count(*) from contenders
            where contenders.event_date = placed.event_date and standing = 'accepted' and verdict <> 'accepted'
                and load_id = any(%(fresh)s)
        )
    )
    select distinct event_date, 'events', 'events_changed', %(change_id)s::bigint from different
    on conflict (event_date, layer, reason) do update
    set change_id = excluded.change_id, recorded_at = excluded.recorded_at
    """,
)
