"""Deduplication: of the copies of an (event day, key) the first by rank is stored."""

from typing import Final

from ingestion.deduplication.candidates import COLUMNS, FROM_JSON, STORED

# Fast path: a new copy that ranks below the stored one is a duplicate. No other copies need to be read. Most repeated
# events are of this kind, since copies mostly arrive later.
MARK_DUPLICATES_OF_STORED: Final = (
    "analyze candidates (event_date, event_key)",
    """
    update candidates set target_state = 'duplicate'
    from raw.events as events
    inner join ops.loads as stored_by on stored_by.load_id = events.load_id
    cross join ops.loads as sent_by
    where events.event_date = any(%(dates)s)
        and events.event_date = candidates.event_date and events.event_key = candidates.event_key
        and sent_by.load_id = candidates.load_id
        and (events.received_at, events.occurred_at, events.canonical_hash,
            stored_by.file collate "C", events.line_number, events.line_position)
        < (candidates.received_at, candidates.occurred_at, candidates.canonical_hash,
            sent_by.file collate "C", candidates.line_number, candidates.line_position)
    """,
)

# Keys with another new copy, or with a removed one.
COLLECT_AFFECTED_KEYS: Final = (
    """
    create temporary table affected_keys on commit drop as
    select event_date, event_key, count(*) as copies
    from (
        select event_date, event_key from candidates where target_state = 'accepted'
        union all
        select event_date, event_key from removed
    ) as copies
    group by event_date, event_key
    """,
    "analyze affected_keys",
)

# All stored copies of the affected keys become candidates.
FETCH_STORED: Final = (
    f"""
    insert into candidates ({COLUMNS}, current_state)
    select {STORED}, 'accepted'
    from raw.events as events
    inner join affected_keys using (event_date, event_key)
    left join raw.attribution as attribution
        on attribution.event_date = events.event_date
        and attribution.event_key = events.event_key
        and attribution.event_date = any(%(dates)s)
    where events.event_date = any(%(dates)s)
    """,
    *(
        f"""
        insert into candidates ({COLUMNS}, current_state)
        select {FROM_JSON}, stored.load_id, stored.line_number, stored.line_position, '{state}'
        from raw.{table} as stored
        inner join affected_keys using (event_date, event_key)
        cross join lateral jsonb_populate_record(null::candidates, stored.candidate) as candidate
        where stored.candidate is not null
        """
        for table, state in (("duplicate_events", "duplicate"), ("rejected_events", "limited"))
    ),
)

# Rank copies by (received_at, occurred_at, canonical hash). Ties are broken by file name and line number, which do not
# depend on load order.
RANK_COPIES: Final = (
    # Most keys have one copy, which needs no sorting.
    """
    with repeated_keys as (
        select event_date, event_key from affected_keys where copies > 1
        union
        select event_date, event_key from candidates where current_state <> 'incoming'
    ),
    ranked as (
        select candidates.load_id, candidates.line_number, candidates.line_position,
            row_number() over (
                partition by event_date, event_key
                order by received_at, occurred_at, canonical_hash, loads.file collate "C",
                    candidates.line_number, candidates.line_position
            ) as copy_rank
        from candidates
        inner join repeated_keys using (event_date, event_key)
        inner join ops.loads as loads on loads.load_id = candidates.load_id
    )
    update candidates set target_state = 'duplicate'
    from ranked
    where ranked.copy_rank > 1
        and candidates.load_id = ranked.load_id and candidates.line_number = ranked.line_number
        and candidates.line_position = ranked.line_position
    """,
)
