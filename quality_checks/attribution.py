"""Conservation checks of attribution: every model credits every conversion once, and no cent of spend is lost.

The SQL shares nothing with the models that it checks: conversions come from raw events and the registry of event types.
"""

from typing import Final

import psycopg

from quality_checks.outcome import Finding, Severity, finding, finding_by_day
from quality_checks.queries import rows_of, subtracted, uneven
from quality_checks.registry import check
from warehouse.window import Window

MODELS: Final = (
    "first_touch", "last_touch", "last_non_direct", "linear", "position_based", "time_decay", "markov", "shapley"
)  # fmt: skip

# Rows shown for each bad day.
_ROWS_SHOWN: Final = 3

_CONVERSIONS: Final = """
    select
        raw_events.event_date as metric_date,
        raw_events.event_id as conversion_id,
        case event_types.value_prop
            when 'revenueCents' then coalesce(raw_events.revenue_cents, 0)
            when 'feeCents' then coalesce(raw_events.fee_cents, 0)
            else 0
        end as cents
    from raw.events as raw_events
    inner join staging.event_types as event_types on event_types.event_type = raw_events.event_type
    where raw_events.event_date >= %(start)s and raw_events.event_date < %(end)s
        and event_types.is_conversion and not raw_events.is_bot
"""

# One row per conversion and model whose credits do not add up to it. Includes credits of conversions that no longer
# exist.
_UNEVEN_CREDITS: Final = f"""
with
conversions as ({_CONVERSIONS}),
credits as (
    select
        metric_date,
        conversion_id,
        model,
        sum(weight) as weight,
        sum(credited_cents) as credited_cents,
        min(least(weight, credited_cents)) as least_part,
        min(conversion_cents) as least_cents,
        max(conversion_cents) as most_cents
    from build.attribution_credits
    where metric_date >= %(start)s and metric_date < %(end)s
    group by metric_date, conversion_id, model
)
select metric_date, conversion_id, model, cents, weight, credited_cents, wrong_credits
from (
    select
        *,
        count(*) over (partition by metric_date) as wrong_credits,
        row_number() over (partition by metric_date order by conversion_id, model) as place
    from (select * from conversions cross join unnest(%(models)s::text[]) as model) as expected
    full join credits using (metric_date, conversion_id, model)
    where (weight, credited_cents, least_cents, most_cents) is distinct from (1, cents, cents, cents) or least_part < 0
) as uneven
where place <= %(rows_shown)s
order by metric_date, place
"""


@check("build/attribution_credits")
def credits_are_conserved(connection: psycopg.Connection, window: Window) -> Finding:
    """Every model credits every conversion that is no bot's: weights add up to exactly 1, cents to its value.

    Conversions without value or without a touchpoint are included; nothing else is credited. A sample row has the value
    of the raw event beside the sum of its credits, null where one of the two is missing.
    """
    shown = rows_of(connection, _UNEVEN_CREDITS, window, models=list(MODELS), rows_shown=_ROWS_SHOWN)
    wrong = {row["metric_date"]: row.pop("wrong_credits") for row in shown}
    return finding_by_day({"wrong_credits": sum(wrong.values())}, shown)


_CREDITED: Final = ("credited_conversions", "credited_cents")
# Sums need no join key: expected and shown numbers of a day and model are added up in one group.
_TOTALS: Final = f"""
with
conversions as ({_CONVERSIONS}),
expected as (
    select metric_date, count(*) as conversions, sum(cents) as cents, 0 as spend
    from conversions
    group by metric_date
    union all
    select spend_date, 0, 0, sum(cost_cents)
    from raw.ad_spend
    where spend_date >= %(start)s and spend_date < %(end)s
    group by spend_date
),
both_sides as (
    select
        metric_date, mart, model, sum(conversions) as missing_conversions, sum(cents) as missing_cents,
        sum(spend) as missing_spend_cents
    from expected cross join (
        select 'attribution_paths' as mart, null as model
        union all
        select mart, model
        from unnest(array['attribution_daily', 'roas_daily']) as mart, unnest(%(models)s::text[]) as model
    ) as added_up
    where mart = 'roas_daily' or spend = 0
    group by metric_date, mart, model
    union all
    {subtracted("attribution_paths", "metric_date, 'attribution_paths', null", ("conversions", "revenue_cents", "0"))}
    union all
    {subtracted("attribution_daily", "metric_date, 'attribution_daily', model", (*_CREDITED, "0"))}
    union all
    {subtracted("roas_daily", "metric_date, 'roas_daily', model", (*_CREDITED, "cost_cents"))}
)
{uneven("metric_date, mart, model", ("missing_conversions", "missing_cents", "missing_spend_cents"))}
"""


@check("build/roas_daily", reads=("attribution_daily", "attribution_paths"))
def attribution_adds_up(connection: psycopg.Connection, window: Window) -> Finding:
    """Every attribution mart adds up, on every day and for every model, to all conversions and all spend.

    Conversions and cents of attribution_daily, attribution_paths and roas_daily are compared with raw events, the cost
    in roas_daily with raw.ad_spend. A sample row has the missing amounts; a surplus is negative.
    """
    differences = rows_of(connection, _TOTALS, window, models=list(MODELS))
    return finding_by_day({"wrong_totals": len(differences)}, differences)


# A conversion in a browser or app nearly always has its own session as a touchpoint; some that servers report have
# none. A third of a day's means that servers and browsers name people differently (estimate of 2026-11).
MAX_UNATTRIBUTED_SHARE: Final = 0.33

_UNATTRIBUTED: Final = """
select
    metric_date,
    sum(conversions) as conversions,
    coalesce(sum(conversions) filter (where path_length = 0), 0) as unattributed,
    coalesce(sum(revenue_cents) filter (where path_length = 0), 0) as unattributed_cents
from build.attribution_paths
where metric_date >= %(start)s and metric_date < %(end)s
group by metric_date
order by metric_date
"""


@check("build/attribution_paths", severity=Severity.WARNING, threshold=MAX_UNATTRIBUTED_SHARE)
def unattributed_conversion_rate_below_threshold(connection: psycopg.Connection, window: Window) -> Finding:
    """On every day at most MAX_UNATTRIBUTED_SHARE of the conversions have no touchpoint to credit."""
    days = rows_of(connection, _UNATTRIBUTED, window)
    bad = [day for day in days if day["unattributed"] > MAX_UNATTRIBUTED_SHARE * float(day["conversions"])]
    totals = {name: sum(day[name] for day in days) for name in ("conversions", "unattributed", "unattributed_cents")}
    return finding({**totals, "allowed_share": MAX_UNATTRIBUTED_SHARE}, bad, (day["metric_date"] for day in bad))
