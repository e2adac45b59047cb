"""Moves of copies between raw.events, raw.duplicate_events and raw.rejected_events, their counts, and stale days."""

from typing import Final

from ingestion.deduplication.candidates import content
from ingestion.schema import ATTRIBUTION_COLUMN_NAMES, CANDIDATE_COLUMN_NAMES, EVENT_COLUMN_NAMES

_EVENT_COLUMNS: Final = ", ".join(EVENT_COLUMN_NAMES)
_ATTRIBUTION_COLUMNS: Final = ", ".join(ATTRIBUTION_COLUMN_NAMES)
_PLACE: Final = "load_id, line_number, line_position"
# A third faster than removing the other columns from the JSON of the whole row.
_CANDIDATE: Final = f"(select {', '.join(f'moved.{name}' for name in CANDIDATE_COLUMN_NAMES)}) as candidate"
_CANDIDATE_JSON: Final = f"(select to_jsonb(candidate) from {_CANDIDATE})"

# Copies whose state does not change are not written again.
DELETE_MOVED: Final = (
    *(
        f"""
        delete from raw.{table} as stored using candidates as moved
        where moved.current_state = 'accepted' and moved.target_state <> 'accepted'
            and stored.event_date = any(%(dates)s)
            and stored.event_date = moved.event_date and stored.event_key = moved.event_key
        """
        for table in ("attribution", "events")
    ),
    *(
        f"""
        delete from raw.{table} as stored using candidates as moved
        where moved.current_state = '{state}' and moved.target_state <> '{state}'
            and stored.load_id = moved.load_id and stored.line_number = moved.line_number
            and stored.line_position = moved.line_position
        """
        for table, state in (("duplicate_events", "duplicate"), ("rejected_events", "limited"))
    ),
)

INSERT_MOVED: Final = (
    f"""
    insert into raw.events ({_EVENT_COLUMNS}, {_PLACE})
    select {_EVENT_COLUMNS}, {_PLACE}
    from candidates
    where target_state = 'accepted' and current_state <> 'accepted'
    """,
    f"""
    insert into raw.attribution (event_date, event_key, event_id, {_ATTRIBUTION_COLUMNS}, {_PLACE})
    select event_date, event_key, event_id, {_ATTRIBUTION_COLUMNS}, {_PLACE}
    from candidates
    where target_state = 'accepted' and current_state <> 'accepted'
        and coalesce({_ATTRIBUTION_COLUMNS}) is not null
    """,
    f"""
    insert into raw.duplicate_events
        (event_date, event_key, received_at, occurred_at, canonical_hash, candidate, {_PLACE})
    select event_date, event_key, received_at, occurred_at, canonical_hash, {_CANDIDATE_JSON}, {_PLACE}
    from candidates as moved
    where target_state = 'duplicate' and current_state <> 'duplicate'
    """,
    f"""
    insert into raw.rejected_events
        (line, line_bytes, reasons, event_date, event_key, candidate, {_PLACE})
    select line, octet_length(line), array['rate_limited'], event_date, event_key, candidate, {_PLACE}
    from (
        select candidate::text as line, *
        from (
            select {_CANDIDATE_JSON} as candidate, event_date, event_key, {_PLACE}
            from candidates as moved
            where target_state = 'limited' and current_state <> 'limited'
            -- Computes each candidate once and not at every mention.
            offset 0
        ) as limited
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
        select candidates.load_id,
            sum((target_state = 'accepted')::int - (current_state = 'accepted')::int) as accepted,
            sum((target_state = 'duplicate')::int - (current_state = 'duplicate')::int) as duplicates,
            sum((target_state = 'limited')::int - (current_state = 'limited')::int) as limited,
            sum(((target_state = 'accepted')::int - (current_state = 'accepted')::int)
                * (candidates.event_date < owner.landing_date - 1)::int) as late
        from candidates
        inner join ops.loads as owner using (load_id)
        where target_state <> current_state
        group by candidates.load_id
    ) as moves
    where loads.load_id = moves.load_id
    """,
)

# An event day has changed when its stored content differs, not when two copies of equal content have swapped.
_SAME: Final = """before.event_date = after.event_date and before.event_key = after.event_key
        and before.content = after.content"""
_COMPARED: Final = f"event_date, event_key, {content()} as content"
RECORD_CHANGES: Final = (
    f"""
    insert into ops.stale_day_marks (event_date, layer, reason, change_id)
    with before as not materialized (
        select {_COMPARED} from candidates
        where current_state = 'accepted' and target_state <> 'accepted' and load_id <> all(%(new_load_ids)s)
        union all
        select event_date, event_key, content from removed where was_accepted
    ),
    after as not materialized (
        select {_COMPARED} from candidates where target_state = 'accepted' and current_state <> 'accepted'
    ),
    different as (
        select event_date from before where not exists (select from after where {_SAME})
        union all
        select event_date from after where not exists (select from before where {_SAME})
        union all
        -- Rows with new keys that were copied to raw.events directly, unless all of them were moved out again.
        select copied.event_date
        from unnest(%(copied_dates)s::date[], %(copied_rows)s::bigint[]) as copied (event_date, event_rows)
        where copied.event_rows > (
            select count(*) from candidates
            where candidates.event_date = copied.event_date
                and current_state = 'accepted' and target_state <> 'accepted' and load_id = any(%(new_load_ids)s)
        )
    )
    select distinct event_date, 'events', 'events_changed', %(change_id)s::bigint from different
    on conflict (event_date, layer, reason) do update
    set change_id = excluded.change_id, recorded_at = excluded.recorded_at
    """,
)
