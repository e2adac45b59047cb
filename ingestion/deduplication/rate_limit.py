"""The rate limit: events of one visitor in one clock minute. Servers are not limited."""

from typing import Final

from ingestion.deduplication.candidates import COLUMNS, FROM_JSON, STORED

EVENTS_PER_MINUTE: Final = 100

_MINUTE: Final = "date_trunc('minute', occurred_at)"
_VISITOR_KEY: Final = "coalesce('actor:' || actor_id, 'anonymous:' || anonymous_id, 'session:' || session_id)"
# Minute and visitor of a limited event, read from its JSON alone.
_LIMITED_MINUTE: Final = "date_trunc('minute', (limited.candidate ->> 'occurred_at')::timestamptz)"
_LIMITED_VISITOR_KEY: Final = """coalesce(
            'actor:' || (limited.candidate ->> 'actor_id'),
            'anonymous:' || (limited.candidate ->> 'anonymous_id'),
            'session:' || (limited.candidate ->> 'session_id')
        )"""
_COUNTS: Final = f"source in ('web', 'mobile') and {_VISITOR_KEY} is not null"


def _is_unaffected(rows: str) -> str:
    """Return the condition that the key of a row is not affected: the copies of an affected one are candidates."""
    key = f"affected_keys.event_date = {rows}.event_date and affected_keys.event_key = {rows}.event_key"
    return f"not exists (select from affected_keys where {key})"


# Pre-filter: a visitor with at most 100 events over all these days cannot exceed the limit in any minute. Overcounts on
# purpose.
FIND_VISITORS_OVER_LIMIT: Final = f"""
    create temporary table visitors_over_limit on commit drop as
    select visitor_key
    from (
        select {_VISITOR_KEY} as visitor_key from candidates
        where event_date = any(%(dates_over_limit)s) and {_COUNTS}
        union all
        select {_VISITOR_KEY} from raw.events where event_date = any(%(dates_over_limit)s) and {_COUNTS}
    ) as events
    group by visitor_key
    having count(*) > %(limit)s
    union
    select {_LIMITED_VISITOR_KEY}
    from raw.rejected_events as limited
    where limited.candidate is not null and limited.event_date = any(%(dates_over_limit)s)
    """

FIND_MINUTES_OVER_LIMIT: Final = (
    # Without these statistics the planner compares every event of a busy visitor with every minute over the limit.
    "analyze candidates"
    " (load_id, line_number, line_position, event_date, event_key, source, current_state, target_state)",
    "analyze visitors_over_limit",
    f"""
    create temporary table affected_minutes on commit drop as
    select minute, visitor_key from (
        select {_MINUTE} as minute, {_VISITOR_KEY} as visitor_key from candidates
        where event_date = any(%(dates_over_limit)s) and {_COUNTS}
        union
        select {_MINUTE}, {_VISITOR_KEY} from removed where {_COUNTS}
        union
        select {_MINUTE}, {_VISITOR_KEY} from raw.events
        where event_date = any(%(dates_over_limit)s) and load_id = any(%(new_load_ids)s) and {_COUNTS}
    ) as minutes
    inner join visitors_over_limit using (visitor_key)
    """,
    "analyze affected_minutes",
    f"""
    create temporary table minutes_over_limit on commit drop as
    with counted as (
        select {_MINUTE} as minute, {_VISITOR_KEY} as visitor_key from candidates
        where target_state = 'accepted' and {_COUNTS}
        union all
        select {_MINUTE}, {_VISITOR_KEY} from raw.events
        where event_date = any(%(dates_over_limit)s) and {_COUNTS}
            and {_is_unaffected("events")}
        union all
        select {_LIMITED_MINUTE}, {_LIMITED_VISITOR_KEY}
        from raw.rejected_events as limited
        where limited.candidate is not null and limited.event_date = any(%(dates_over_limit)s)
            and {_is_unaffected("limited")}
    )
    select minute, visitor_key
    from counted
    inner join affected_minutes using (minute, visitor_key)
    group by minute, visitor_key
    having count(*) > %(limit)s
    """,
    "analyze minutes_over_limit",
)

# Stored events become candidates for every minute of a visitor that gained or lost an event and is, or was, over the
# limit.
FETCH_STORED: Final = (
    f"""
    insert into candidates ({COLUMNS}, current_state, target_state)
    select {STORED}, 'accepted', 'accepted'
    from (
        select *, {_MINUTE} as minute, {_VISITOR_KEY} as visitor_key from raw.events
        where event_date = any(%(dates_over_limit)s) and {_COUNTS}
    ) as events
    inner join minutes_over_limit using (minute, visitor_key)
    left join raw.attribution as attribution
        on attribution.event_date = events.event_date
        and attribution.event_key = events.event_key
        and attribution.event_date = any(%(dates_over_limit)s)
    where {_is_unaffected("events")}
    """,
    # A minute that is no longer over the limit releases its limited events. So these are read for every affected
    # minute.
    f"""
    insert into candidates ({COLUMNS}, current_state, target_state)
    select {FROM_JSON}, limited.load_id, limited.line_number, limited.line_position, 'limited', 'accepted'
    from (
        select limited.candidate, limited.load_id, limited.line_number, limited.line_position
        from raw.rejected_events as limited
        inner join affected_minutes on minute = {_LIMITED_MINUTE} and visitor_key = {_LIMITED_VISITOR_KEY}
        where limited.candidate is not null and limited.event_date = any(%(dates_over_limit)s)
            and {_is_unaffected("limited")}
        -- Filters first: the JSON of other rows is not expanded.
        offset 0
    ) as limited
    cross join lateral jsonb_populate_record(null::candidates, limited.candidate) as candidate
    """,
)

LIMIT_EVENTS: Final = (
    f"""
    with ranked as (
        select load_id, line_number, line_position,
            row_number() over (
                partition by minute, visitor_key order by received_at, occurred_at, event_key collate "C"
            ) as event_rank
        from (
            select *, {_MINUTE} as minute, {_VISITOR_KEY} as visitor_key from candidates
            where target_state = 'accepted' and {_COUNTS}
        ) as accepted
        inner join minutes_over_limit using (minute, visitor_key)
    )
    update candidates set target_state = 'limited'
    from ranked
    where ranked.event_rank > %(limit)s
        and candidates.load_id = ranked.load_id and candidates.line_number = ranked.line_number
        and candidates.line_position = ranked.line_position
    """,
)
