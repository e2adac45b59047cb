"""View marts.data_quality: the lines of each landing day by outcome, from the load log."""

from typing import Final

_OUTCOMES: Final = {
    "accepted": "Lines that are events of raw.events; those of sealed days are dropped from it.",
    "rejected": "Lines that cannot be used; rejected_by_reason says why.",
    "duplicates": "Copies of an event that another line holds.",
    "not_tracked": "Lines of people who decline tracking, which are stored in no form.",
    "erased": "Lines of persons who were erased.",
}
_EVENTS: Final = {
    "late": "Of the accepted lines: events whose day ended more than a day before the landing day began.",
}

VIEW: Final = f"""
with landing_days as (
    select first_and_last.first_date + n as metric_date
    from (
        select min(landing_date) as first_date, max(landing_date) as last_date
        from (
            select min(landing_date) as landing_date from ops.loads
            union all select max(landing_date) from ops.loads
            union all select min(landing_date) from ops.waiting_files
            union all select max(landing_date) from ops.waiting_files
        ) as ends
    ) as first_and_last
    cross join lateral generate_series(0, first_and_last.last_date - first_and_last.first_date) as n
)
select days.metric_date, lines.files, waiting.files_waiting, lines.lines_read,
    {", ".join(f"lines.{name}" for name in _OUTCOMES)},
    {", ".join(f"lines.{name}" for name in _EVENTS)},
    lines.rejected - lines.dropped_rejected as quarantined,
    lines.fields_dropped, lines.placeholder_ids, lines.hashed_ids,
    coalesce(reasons.rejected_by_reason, '{{}}') as rejected_by_reason,
    lines.last_loaded_at
from landing_days as days
cross join lateral (
    select count(*) as files,
        coalesce(sum(loads.lines_read), 0)::bigint as lines_read,
        {", ".join(f"coalesce(sum(loads.{name}), 0)::bigint as {name}" for name in (*_OUTCOMES, *_EVENTS))},
        coalesce(sum(loads.dropped_rejected), 0)::bigint as dropped_rejected,
        coalesce(sum((
            select sum(by_reason.events::bigint)
            from jsonb_each(loads.dropped_fields) as fields
            cross join lateral jsonb_each_text(fields.value) as by_reason(reason, events)
        )), 0)::bigint as fields_dropped,
        coalesce(sum((
            select sum(events::bigint) from jsonb_each_text(loads.placeholder_ids) as ids(field, events)
        )), 0)::bigint as placeholder_ids,
        coalesce(sum((
            select sum(events::bigint) from jsonb_each_text(loads.hashed_ids) as ids(field, events)
        )), 0)::bigint as hashed_ids,
        max(loads.loaded_at) as last_loaded_at
    from ops.loads as loads
    where loads.landing_date = days.metric_date and loads.replaced_by is null
) as lines
cross join lateral (
    select count(*) as files_waiting from ops.waiting_files as files where files.landing_date = days.metric_date
) as waiting
left join lateral (
    select jsonb_object_agg(reason, counted) as rejected_by_reason
    from (
        select coalesce(rejected.reason, 'unknown') as reason, count(*) as counted
        from ops.loads as loads
        inner join raw.rejected_events as rejected on rejected.load_id = loads.load_id
        where loads.landing_date = days.metric_date and loads.replaced_by is null
        group by rejected.reason
        union all
        select 'dropped with sealed days', lines.dropped_rejected
        where lines.dropped_rejected > 0
    ) as by_reason
) as reasons on true
"""

COUNTS: Final = (
    *("files", "files_waiting", "lines_read", "quarantined", "fields_dropped", "placeholder_ids", "hashed_ids"),
    *_OUTCOMES,
    *_EVENTS,
)
COMMENTS: Final = {
    "": "The lines of the landing files of each day by outcome: lines_read = accepted + rejected + duplicates +"
    " not_tracked + erased. A day on which nothing landed has zeros. It looks at ops at every query. Grain: one row per"
    " metric_date.",
    "metric_date": "The landing day, UTC: the day in the name of the folder. Events of it may be of other days.",
    "files": "Landing files that are loaded, by their latest version.",
    "files_waiting": "Landing files that are complete and could not be loaded.",
    "lines_read": "Lines of the loaded files that hold an event, or something in place of one.",
    **_OUTCOMES,
    **_EVENTS,
    "quarantined": "Of the rejected lines: those that are kept, redacted, and can be replayed.",
    "fields_dropped": "Fields that accepted events lost because they broke their rule.",
    "placeholder_ids": "Ids of accepted events that were placeholders, such as undefined, and count as absent.",
    "hashed_ids": "Ids of accepted events that were e-mail addresses or phone numbers, and are stored as hashes.",
    "rejected_by_reason": "The rejected lines by the first reason of each, as {reason: lines}. They add up to rejected."
    " jsonb_each_text makes rows of it.",
    "last_loaded_at": "When a file of the day was last loaded, UTC; null when none is.",
}
