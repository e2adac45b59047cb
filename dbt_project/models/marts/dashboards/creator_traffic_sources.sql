{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

creators as (

    select * from {{ ref('stg_marketplace__creators') }}
    where not is_deleted

),

days as (

    select * from {{ current_version('creator_source_days') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ current_version('creator_source_months') }}

),

totals as (

    {{ period_sums(['creator_id', 'utm_source'], ['visits', 'conversions']) }}

),

ranked as (

    select
        *,
        row_number() over (partition by period, creator_id order by visits desc, utm_source asc) as rank
    from totals

)

select
    periods.metric_date,
    periods.period,
    creators.creator_id,
    ranked.utm_source,
    cast(ranked.rank as integer) as rank,
    cast(ranked.visits as bigint) as visits,
    cast(ranked.conversions as bigint) as conversions
from ranked
inner join creators
    on ranked.creator_id = creators.creator_id
inner join periods
    on ranked.period = periods.period
where ranked.rank <= 10
