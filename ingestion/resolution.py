"""Which copies of an event are stored: deduplication and the rate limit, as SQL over the candidates of a load.

Both are decided over everything that is in raw and not over one file, so that the outcome does not depend on the order
in which files arrive. Only rows that share a key, or a clock minute of one visitor, with a candidate are looked at.
"""

from typing import Final

import psycopg

from ingestion.schema import (
    ATTRIBUTION_COLUMN_NAMES,
    ATTRIBUTION_COLUMNS,
    CANDIDATE_COLUMN_NAMES,
    EVENT_COLUMN_NAMES,
    EVENT_COLUMNS,
    create_day_partitions,
)

# Of one visitor's events in one clock minute; only browsers and apps are limited, servers are ours.
EVENTS_PER_MINUTE: Final = 100

_COLUMNS: Final = ", ".join(CANDIDATE_COLUMN_NAMES)
_EVENT_COLUMNS: Final = ", ".join(EVENT_COLUMN_NAMES)
_ATTRIBUTION_COLUMNS: Final = ", ".join(ATTRIBUTION_COLUMN_NAMES)
_CANDIDATE_COLUMNS: Final = ", ".join(f"candidate.{name}" for name in CANDIDATE_COLUMN_NAMES)

# `standing` is where a copy is now (incoming, accepted, duplicate, limited), `verdict` where it belongs.
CREATE_CONTENDERS: Final = f"""
create temporary table contenders (
    {", ".join(f"{name} {definition}" for name, definition in (*EVENT_COLUMNS, *ATTRIBUTION_COLUMNS))},
    load_id bigint not null,
    line_number bigint not null,
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
    was_accepted boolean not null
) on commit drop;
"""

# Take out the rows of file versions that are replaced, and remember what they were.
_REMOVE_REPLACED: Final = (
    """
    with gone as (
        delete from raw.events
        where event_date = any(%(replaced_dates)s) and load_id = any(%(replaced)s)
        returning *
    )
    insert into removed
    select event_date, event_key, canonical_hash, received_at, occurred_at, source,
        actor_id, anonymous_id, session_id, true
    from gone
    """,
    "delete from raw.attribution where event_date = any(%(replaced_dates)s) and load_id = any(%(replaced)s)",
    """
    with gone as (
        delete from raw.rejected_events where load_id = any(%(replaced)s) returning *
    )
    insert into removed
    select event.event_date, event.event_key, event.canonical_hash, event.received_at, event.occurred_at, event.source,
        event.actor_id, event.anonymous_id, event.session_id, false
    from gone
    cross join lateral jsonb_populate_record(null::contenders, gone.candidate) as event
    where gone.candidate is not null
    """,
    "delete from raw.duplicate_events where load_id = any(%(replaced)s)",
)

# The keys that have a new or a removed copy.
_TOUCH_KEYS: Final = (
    "analyze contenders (event_date, event_key)",
    """
    create temporary table touched_keys on commit drop as
    select event_date, event_key, count(*) as copies
    from (
        select event_date, event_key from contenders
        union all
        select event_date, event_key from removed
    ) as copies
    group by event_date, event_key
    """,
    "analyze touched_keys",
)

# Fetch their stored copies.
_FETCH_COPIES: Final = (
    f"""
    insert into contenders ({_COLUMNS}, load_id, line_number, standing)
    select {", ".join(f"events.{name}" for name in EVENT_COLUMN_NAMES)},
        {", ".join(f"attribution.{name}" for name in ATTRIBUTION_COLUMN_NAMES)},
        events.load_id, events.line_number, 'accepted'
    from raw.events as events
    inner join touched_keys using (event_date, event_key)
    left join raw.attribution as attribution
        on attribution.event_date = events.event_date
        and attribution.event_key = events.event_key
        and attribution.event_date = any(%(dates)s)
    where events.event_date = any(%(dates)s)
    """,
    f"""
    insert into contenders ({_COLUMNS}, load_id, line_number, standing)
    select {_CANDIDATE_COLUMNS}, duplicates.load_id, duplicates.line_number, 'duplicate'
    from raw.duplicate_events as duplicates
    inner join touched_keys using (event_date, event_key)
    cross join lateral jsonb_populate_record(null::contenders, duplicates.candidate) as candidate
    """,
    f"""
    insert into contenders ({_COLUMNS}, load_id, line_number, standing)
    select {_CANDIDATE_COLUMNS}, limited.load_id, limited.line_number, 'limited'
    from raw.rejected_events as limited
    inner join touched_keys using (event_date, event_key)
    cross join lateral jsonb_populate_record(null::contenders, limited.candidate) as candidate
    where limited.candidate is not null
    """,
)

# The winner among copies is the least (received_at, occurred_at, canonical hash). Between copies that are equal in all
# that counts their place decides, which does not tell when they were loaded.
_JUDGE_COPIES: Final = (
    # Most keys have one copy, which need not be sorted.
    """
    with repeated as (
        select event_date, event_key from touched_keys where copies > 1
        union
        select event_date, event_key from contenders where standing <> 'incoming'
    ),
    ranked as (
        select contenders.load_id, contenders.line_number,
            row_number() over (
                partition by event_date, event_key
                order by received_at, occurred_at, canonical_hash, loads.file collate "C", contenders.line_number
            ) as claim
        from contenders
        inner join repeated using (event_date, event_key)
        inner join ops.loads as loads on loads.load_id = contenders.load_id
    )
    update contenders set verdict = 'duplicate'
    from ranked
    where ranked.claim > 1
        and contenders.load_id = ranked.load_id and contenders.line_number = ranked.line_number
    """,
)

_MINUTE: Final = "date_trunc('minute', occurred_at)"
_WHO: Final = "coalesce('actor:' || actor_id, 'anonymous:' || anonymous_id, 'session:' || session_id)"
# The same of an event that is limited, without reading the rest of it.
_LIMITED_MINUTE: Final = "date_trunc('minute', (limited.candidate ->> 'occurred_at')::timestamptz)"
_LIMITED_WHO: Final = """coalesce(
            'actor:' || (limited.candidate ->> 'actor_id'),
            'anonymous:' || (limited.candidate ->> 'anonymous_id'),
            'session:' || (limited.candidate ->> 'session_id')
        )"""
_IS_LIMITED: Final = f"source in ('web', 'mobile') and {_WHO} is not null"

# Who has too few events in the whole of these days has no crowded minute in them: almost everybody. Counted are more
# than those that will be there.
_FIND_BUSY: Final = f"""
    create temporary table busy_visitors on commit drop as
    select who
    from (
        select {_WHO} as who from contenders where {_IS_LIMITED}
        union all
        select {_WHO} from raw.events where event_date = any(%(dates)s) and {_IS_LIMITED}
    ) as events
    group by who
    having count(*) > %(limit)s
    union
    select {_LIMITED_WHO}
    from raw.rejected_events as limited
    where limited.candidate is not null and limited.event_date = any(%(dates)s)
    """

_PREPARE_MINUTES: Final = (
    # Without knowing how many were accepted, the planner compares every event of a crowd with every crowded minute.
    "analyze contenders (load_id, line_number, event_date, event_key, source, standing, verdict)",
    "analyze busy_visitors",
    f"""
    create temporary table touched_minutes on commit drop as
    select minute, who from (
        select {_MINUTE} as minute, {_WHO} as who from contenders where {_IS_LIMITED}
        union
        select {_MINUTE}, {_WHO} from removed where {_IS_LIMITED}
    ) as minutes
    inner join busy_visitors using (who)
    """,
    "analyze touched_minutes",
    f"""
    create temporary table crowded_minutes on commit drop as
    with counted as (
        select {_MINUTE} as minute, {_WHO} as who from contenders
        where verdict = 'accepted' and {_IS_LIMITED}
        union all
        select {_MINUTE}, {_WHO} from raw.events
        where event_date = any(%(dates)s) and {_IS_LIMITED}
            and not exists (
                select from touched_keys
                where touched_keys.event_date = events.event_date and touched_keys.event_key = events.event_key
            )
        union all
        select {_LIMITED_MINUTE}, {_LIMITED_WHO}
        from raw.rejected_events as limited
        where limited.candidate is not null and limited.event_date = any(%(dates)s)
            and not exists (
                select from touched_keys
                where touched_keys.event_date = limited.event_date and touched_keys.event_key = limited.event_key
            )
    )
    select minute, who
    from counted
    inner join touched_minutes using (minute, who)
    group by minute, who
    having count(*) > %(limit)s
    """,
    "analyze crowded_minutes",
)

# Fetch what is stored of every clock minute of a visitor that gained or lost an event and holds, or held, more than the
# limit.
_FETCH_MINUTES: Final = (
    f"""
    insert into contenders ({_COLUMNS}, load_id, line_number, standing, verdict)
    select {", ".join(f"events.{name}" for name in EVENT_COLUMN_NAMES)},
        {", ".join(f"attribution.{name}" for name in ATTRIBUTION_COLUMN_NAMES)},
        events.load_id, events.line_number, 'accepted', 'accepted'
    from (
        select *, {_MINUTE} as minute, {_WHO} as who from raw.events
        where event_date = any(%(dates)s) and {_IS_LIMITED}
    ) as events
    inner join crowded_minutes using (minute, who)
    left join raw.attribution as attribution
        on attribution.event_date = events.event_date
        and attribution.event_key = events.event_key
        and attribution.event_date = any(%(dates)s)
    where not exists (
        select from touched_keys
        where touched_keys.event_date = events.event_date and touched_keys.event_key = events.event_key
    )
    """,
    # A minute that is crowded no longer lets go of the events that it had limited, so these are fetched for every
    # touched minute and not only for the crowded ones.
    f"""
    insert into contenders ({_COLUMNS}, load_id, line_number, standing, verdict)
    select {_CANDIDATE_COLUMNS}, limited.load_id, limited.line_number, 'limited', 'accepted'
    from (
        select limited.candidate, limited.load_id, limited.line_number
        from raw.rejected_events as limited
        inner join touched_minutes on minute = {_LIMITED_MINUTE} and who = {_LIMITED_WHO}
        where limited.candidate is not null and limited.event_date = any(%(dates)s)
            and not exists (
                select from touched_keys
                where touched_keys.event_date = limited.event_date and touched_keys.event_key = limited.event_key
            )
        -- Only what is needed is read whole.
        offset 0
    ) as limited
    cross join lateral jsonb_populate_record(null::contenders, limited.candidate) as candidate
    """,
)

_JUDGE_MINUTES: Final = (
    f"""
    with ranked as (
        select load_id, line_number,
            row_number() over (partition by minute, who order by received_at, occurred_at, event_key collate "C") as nth
        from (
            select *, {_MINUTE} as minute, {_WHO} as who from contenders
            where verdict = 'accepted' and {_IS_LIMITED}
        ) as winners
        inner join crowded_minutes using (minute, who)
    )
    update contenders set verdict = 'limited'
    from ranked
    where ranked.nth > %(limit)s
        and contenders.load_id = ranked.load_id and contenders.line_number = ranked.line_number
    """,
)

_CANDIDATE_JSON: Final = "to_jsonb(moved) - array['load_id', 'line_number', 'standing', 'verdict']"

# Move what has to move; copies that stay where they are are not written again.
_MOVE_OUT: Final = (
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
    """,
    """
    delete from raw.rejected_events as rejected using contenders as moved
    where moved.standing = 'limited' and moved.verdict <> 'limited'
        and rejected.load_id = moved.load_id and rejected.line_number = moved.line_number
    """,
)

_MOVE_IN: Final = (
    f"""
    insert into raw.events ({_EVENT_COLUMNS}, load_id, line_number)
    select {_EVENT_COLUMNS}, load_id, line_number
    from contenders
    where verdict = 'accepted' and standing <> 'accepted'
    """,
    f"""
    insert into raw.attribution (event_date, event_key, event_id, {_ATTRIBUTION_COLUMNS}, load_id, line_number)
    select event_date, event_key, event_id, {_ATTRIBUTION_COLUMNS}, load_id, line_number
    from contenders
    where verdict = 'accepted' and standing <> 'accepted'
        and coalesce({_ATTRIBUTION_COLUMNS}) is not null
    """,
    f"""
    insert into raw.duplicate_events
        (event_date, event_key, received_at, occurred_at, canonical_hash, candidate, load_id, line_number)
    select event_date, event_key, received_at, occurred_at, canonical_hash, {_CANDIDATE_JSON}, load_id, line_number
    from contenders as moved
    where verdict = 'duplicate' and standing <> 'duplicate'
    """,
    f"""
    insert into raw.rejected_events
        (line, line_bytes, reasons, event_date, event_key, candidate, load_id, line_number)
    select line, octet_length(line), array['rate_limited'], event_date, event_key, candidate, load_id, line_number
    from (
        select candidate::text as line, *
        from (
            select {_CANDIDATE_JSON} as candidate, event_date, event_key, load_id, line_number
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
        and before.canonical_hash = after.canonical_hash and before.received_at = after.received_at"""
_COMPARED: Final = "event_date, event_key, canonical_hash, received_at"
_RECORD_CHANGES: Final = (
    f"""
    insert into ops.stale_days (event_date, layer, reason, change_id)
    with before as not materialized (
        select {_COMPARED} from contenders where standing = 'accepted' and verdict <> 'accepted'
        union all
        select {_COMPARED} from removed where was_accepted
    ),
    after as not materialized (
        select {_COMPARED} from contenders where verdict = 'accepted' and standing <> 'accepted'
    )
    select distinct event_date, 'events', 'events_changed', %(change_id)s::bigint
    from (
        select * from before where not exists (select from after where {_SAME})
        union all
        select * from after where not exists (select from before where {_SAME})
    ) as different
    on conflict (event_date, layer, reason) do update
    set change_id = excluded.change_id, recorded_at = excluded.recorded_at
    """,
)


def resolve(cursor: psycopg.Cursor, *, change_id: int, replaced: list[int]) -> None:
    """Store the candidates in the temporary table contenders where they belong, and take out the replaced loads.

    Everything happens in the caller's transaction, which created the table by CREATE_CONTENDERS, filled it, and entered
    the loads in the ledger. Counts of the ledger, of loads long past too, follow the copies that move.
    """
    cursor.execute(
        "select coalesce(array_agg(distinct day), '{}') from ops.loads, unnest(event_dates) as day"
        " where load_id = any(%s)",
        [replaced],
    )
    (replaced_dates,) = cursor.fetchone() or ([],)
    cursor.execute("select coalesce(array_agg(distinct event_date), '{}') from contenders")
    (incoming_dates,) = cursor.fetchone() or ([],)
    create_day_partitions(cursor, incoming_dates)
    parameters = {
        "change_id": change_id,
        "replaced": replaced,
        "replaced_dates": replaced_dates,
        "dates": sorted({*replaced_dates, *incoming_dates}),
        "limit": EVENTS_PER_MINUTE,
    }

    def run(*statements: str) -> int:
        """How many rows they touched."""
        # A prepared statement would be planned without its dates and look into every day partition.
        return sum(max(0, cursor.execute(statement, parameters, prepare=False).rowcount) for statement in statements)

    if replaced:
        run(*_REMOVE_REPLACED)
    run(*_TOUCH_KEYS)
    fetched = run(*_FETCH_COPIES)
    run(*_JUDGE_COPIES)
    if run(_FIND_BUSY):
        run(*_PREPARE_MINUTES)
        fetched += run(*_FETCH_MINUTES)
        run(*_JUDGE_MINUTES)
    if fetched:
        run(*_MOVE_OUT)
    run(*_MOVE_IN, *_RECORD_CHANGES)
