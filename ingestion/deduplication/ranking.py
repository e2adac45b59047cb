"""Deduplication: of the copies of an (event day, key) the one with the best claim is stored."""

from typing import Final

from ingestion.deduplication.candidates import COLUMNS, SPREAD, STORED

# What comes again mostly comes late: a copy with less of a claim than the one that is stored is a duplicate, whatever
# else its key has, and nothing has to be fetched for it.
YIELD: Final = (
    "analyze contenders (event_date, event_key)",
    """
    update contenders set verdict = 'duplicate'
    from raw.events as events
    inner join ops.loads as stored_by on stored_by.load_id = events.load_id
    cross join ops.loads as sent_by
    where events.event_date = any(%(dates)s)
        and events.event_date = contenders.event_date and events.event_key = contenders.event_key
        and sent_by.load_id = contenders.load_id
        and (events.received_at, events.occurred_at, events.canonical_hash,
            stored_by.file collate "C", events.line_number, events.line_position)
        < (contenders.received_at, contenders.occurred_at, contenders.canonical_hash,
            sent_by.file collate "C", contenders.line_number, contenders.line_position)
    """,
)

# The keys that have another new copy or a removed one.
TOUCH_KEYS: Final = (
    """
    create temporary table touched_keys on commit drop as
    select event_date, event_key, count(*) as copies
    from (
        select event_date, event_key from contenders where verdict = 'accepted'
        union all
        select event_date, event_key from removed
    ) as copies
    group by event_date, event_key
    """,
    "analyze touched_keys",
)

# Fetch their stored copies.
FETCH: Final = (
    f"""
    insert into contenders ({COLUMNS}, standing)
    select {STORED}, 'accepted'
    from raw.events as events
    inner join touched_keys using (event_date, event_key)
    left join raw.attribution as attribution
        on attribution.event_date = events.event_date
        and attribution.event_key = events.event_key
        and attribution.event_date = any(%(dates)s)
    where events.event_date = any(%(dates)s)
    """,
    f"""
    insert into contenders ({COLUMNS}, standing)
    select {SPREAD}, duplicates.load_id, duplicates.line_number, duplicates.line_position, 'duplicate'
    from raw.duplicate_events as duplicates
    inner join touched_keys using (event_date, event_key)
    cross join lateral jsonb_populate_record(null::contenders, duplicates.candidate) as candidate
    """,
    f"""
    insert into contenders ({COLUMNS}, standing)
    select {SPREAD}, limited.load_id, limited.line_number, limited.line_position, 'limited'
    from raw.rejected_events as limited
    inner join touched_keys using (event_date, event_key)
    cross join lateral jsonb_populate_record(null::contenders, limited.candidate) as candidate
    where limited.candidate is not null
    """,
)

# The winner among copies is the least (received_at, occurred_at, canonical hash). Between copies that are equal in all
# that counts their place decides, which does not tell when they were loaded.
JUDGE: Final = (
    # Most keys have one copy, which need not be sorted.
    """
    with repeated as (
        select event_date, event_key from touched_keys where copies > 1
        union
        select event_date, event_key from contenders where standing <> 'incoming'
    ),
    ranked as (
        select contenders.load_id, contenders.line_number, contenders.line_position,
            row_number() over (
                partition by event_date, event_key
                order by received_at, occurred_at, canonical_hash, loads.file collate "C",
                    contenders.line_number, contenders.line_position
            ) as claim
        from contenders
        inner join repeated using (event_date, event_key)
        inner join ops.loads as loads on loads.load_id = contenders.load_id
    )
    update contenders set verdict = 'duplicate'
    from ranked
    where ranked.claim > 1
        and contenders.load_id = ranked.load_id and contenders.line_number = ranked.line_number
        and contenders.line_position = ranked.line_position
    """,
)
