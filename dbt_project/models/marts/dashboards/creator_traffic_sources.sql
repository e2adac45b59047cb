{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

creators as (

    select * from {{ ref('int_creators_latest') }}
    where not is_deleted

),

days as (

    select * from {{ published_or_built('creator_source_days') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ published_or_built('creator_source_months') }}

),

parts as (

    select
        periods.period,
        days.creator_id,
        days.utm_source,
        days.visits,
        days.conversions
    from periods
    inner join days
        on {{ is_day_of_first_month('days.metric_date') }}

    union all

    select
        periods.period,
        months.creator_id,
        months.utm_source,
        months.visits,
        months.conversions
    from periods
    inner join months
        on {{ is_later_month('months.metric_date') }}

),

totals as (

    select
        period,
        creator_id,
        utm_source,
        sum(visits) as visits,
        sum(conversions) as conversions
    from parts
    group by
        period,
        creator_id,
        utm_source

),

ranked as (

    select
        *,
        row_number() over (partition by period, creator_id order by visits desc, utm_source asc) as place
    from totals

)

select
    periods.metric_date,
    periods.period,
    creators.creator_id,
    ranked.utm_source,
    cast(ranked.place as integer) as place,
    cast(ranked.visits as bigint) as visits,
    cast(ranked.conversions as bigint) as conversions
from ranked
inner join creators
    on ranked.creator_id = creators.creator_id
inner join periods
    on ranked.period = periods.period
where ranked.place <= 10
