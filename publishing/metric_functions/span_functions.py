"""The function that says from when to when a period is, for functions that answer questions about periods."""

from typing import Final

from publishing.metric_functions.declarations import INVALID_DATE_RANGE, INVOKER, MetricFunction, body
from warehouse.roles.readers import ALL_READERS

# A mart that waits for a plan keeps its last day, and its periods end with that day.
_PERIOD_SPAN: Final = f"""
#variable_conflict use_column
declare
    known text;
begin
    if to_regclass('marts.periods') is not null then
        select string_agg(periods.period, ', ' order by periods.first_date desc nulls last) into known
        from marts.periods as periods;
    end if;
    if known is null then
        raise exception using errcode = '{INVALID_DATE_RANGE}', message = 'no day is published yet';
    end if;
    return query
    select
        periods.first_date - (periods.last_date - ends.last_day),
        ends.last_day,
        greatest(
            periods.first_date - (periods.last_date - ends.last_day),
            (select min(days.metric_date) from marts.published_days as days)
        ),
        array_remove(
            array[
                case when periods.days_missing > 0 then format(
                    'days that are not published, and count as nothing: %s', periods.days_missing
                ) end,
                case when ends.last_day <> periods.last_date then format(
                    'the period ends with %s instead of %s, since a change of the numbers waits for a plan',
                    to_char(ends.last_day, 'YYYY-MM-DD'), to_char(periods.last_date, 'YYYY-MM-DD')
                ) end
            ],
            null
        )
    from marts.periods as periods
    cross join lateral (select coalesce(period_span.last_day, periods.last_date) as last_day) as ends
    where periods.period = period_span.period;
    if not found then
        raise exception using errcode = '{INVALID_DATE_RANGE}', message = format(
            'there is no period "%s": it is one of %s', coalesce(left(period_span.period, 100), 'null'), known
        );
    end if;
end
"""

SPAN_FUNCTIONS: Final = (
    MetricFunction(
        "marts.period_span",
        "period text, last_day date default null",
        body(
            "returns table (first_date date, last_date date, first_published_date date, notes text[])",
            f"{INVOKER} rows 1",
            _PERIOD_SPAN,
        ),
        "From when to when a period is, and from when on days of it are published; first_date is null for all."
        " With last_day it ends with that day. SQLSTATE WH001: the period does not exist.",
        ALL_READERS,
    ),
)
