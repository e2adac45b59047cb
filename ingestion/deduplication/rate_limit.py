"""The rate limit: how many events one visitor may have in one clock minute. Only browsers and apps are limited; servers
are ours.
"""

from typing import Final

from ingestion.deduplication.candidates import COLUMNS, SPREAD, STORED

EVENTS_PER_MINUTE: Final = 100

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
FIND_BUSY: Final = f"""
    create temporary table busy_visitors on commit drop as
    select who
    from (
        select {_WHO} as who from contenders where event_date = any(%(crowded_dates)s) and {_IS_LIMITED}
        union all
        select {_WHO} from raw.events where event_date = any(%(crowded_dates)s) and {_IS_LIMITED}
    ) as events
    group by who
    having count(*) > %(limit)s
    union
    select {_LIMITED_WHO}
    from raw.rejected_events as limited
    where limited.candidate is not null and limited.event_date = any(%(crowded_dates)s)
    """

PREPARE: Final = (
    # Without knowing how many were accepted, the planner compares every event of a crowd with every crowded minute.
    "analyze contenders (load_id, line_number, line_position, event_date, event_key, source, standing, verdict)",
    "analyze busy_visitors",
    f"""
    create temporary table touched_minutes on commit drop as
    select minute, who from (
        select {_MINUTE} as minute, {_WHO} as who from contenders
        where event_date = any(%(crowded_dates)s) and {_IS_LIMITED}
        union
        select {_MINUTE}, {_WHO} from removed where {_IS_LIMITED}
        union
        select {_MINUTE}, {_WHO} from raw.events
        where event_date = any(%(crowded_dates)s) and load_id = any(%(fresh)s) and {_IS_LIMITED}
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
        where event_date = any(%(crowded_dates)s) and {_IS_LIMITED}
            and not exists (
                select from touched_keys
                where touched_keys.event_date = events.event_date and touched_keys.event_key = events.event_key
            )
        union all
        select {_LIMITED_MINUTE}, {_LIMITED_WHO}
        from raw.rejected_events as limited
        where limited.candidate is not null and limited.event_date = any(%(crowded_dates)s)
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
FETCH: Final = (
    f"""
    insert into contenders ({COLUMNS}, standing, verdict)
    select {STORED}, 'accepted', 'accepted'
    from (
        select *, {_MINUTE} as minute, {_WHO} as who from raw.events
        where event_date = any(%(crowded_dates)s) and {_IS_LIMITED}
    ) as events
    inner join crowded_minutes using (minute, who)
    left join raw.attribution as attribution
        on attribution.event_date = events.event_date
        and attribution.event_key = events.event_key
        and attribution.event_date = any(%(crowded_dates)s)
    where not exists (
        select from touched_keys
        where touched_keys.event_date = events.event_date and touched_keys.event_key = events.event_key
    )
    """,
    # A minute that is crowded no longer lets go of the events that it had limited, so these are fetched for every
    # touched minute and not only for the crowded ones.
    f"""
    insert into contenders ({COLUMNS}, standing, verdict)
    select {SPREAD}, limited.load_id, limited.line_number, limited.line_position, 'limited', 'accepted'
    from (
        select limited.candidate, limited.load_id, limited.line_number, limited.line_position
        from raw.rejected_events as limited
        inner join touched_minutes on minute = {_LIMITED_MINUTE} and who = {_LIMITED_WHO}
        where limited.candidate is not null and limited.event_date = any(%(crowded_dates)s)
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

JUDGE: Final = (
    f"""
    with ranked as (
        select load_id, line_number, line_position,
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
        and contenders.line_position = ranked.line_position
    """,
)
