{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

periods_before as (

    select * from {{ remembered('periods') }}

),

touched as (

    select * from {{ ref('visitor_last_days') }}

),

last_days_before as (

    select * from {{ remembered('visitor_last_days') }}

),

looked_up as (

    select * from {{ remembered('visitor_last_days') }}

),

counts_before as (

    select * from {{ remembered('visitors_by_period') }}

),

-- What became of each period: those whose last day was in it are counted.
bounds as (

    select
        periods.period,
        periods.first_date,
        periods_before.first_date as first_date_before
    from periods
    left join periods_before
        on periods.period = periods_before.period

),

-- The period has moved on past their last day.
moved_past as (

    select
        last_days_before.ip_asset_id,
        bounds.period,
        -1 as visitors
    from bounds
    inner join last_days_before
        on
            bounds.first_date_before <= last_days_before.last_date
            and bounds.first_date > last_days_before.last_date

),

-- Whose last day is another one than before.
moves as (

    select
        ip_asset_id,
        last_date,
        1 as visitors
    from touched

    union all

    -- Looked up one by one, by an index: what is remembered is as long as history.
    select
        ip_asset_id,
        (
            select looked_up.last_date from looked_up
            where looked_up.ip_asset_id = touched.ip_asset_id and looked_up.visitor_id = touched.visitor_id
        ) as last_date,
        -1 as visitors
    from touched

),

days_moved as (

    select
        ip_asset_id,
        last_date,
        sum(visitors) as visitors
    from moves
    where last_date is not null
    group by
        ip_asset_id,
        last_date
    having sum(visitors) <> 0

),

changes as (

    select
        ip_asset_id,
        period,
        unique_visitors as visitors
    from counts_before

    union all

    select
        ip_asset_id,
        period,
        visitors
    from moved_past

    union all

    select
        days_moved.ip_asset_id,
        bounds.period,
        days_moved.visitors
    from days_moved
    inner join bounds
        on bounds.first_date is null or days_moved.last_date >= bounds.first_date

)

select
    periods.metric_date,
    changes.ip_asset_id,
    changes.period,
    cast(sum(changes.visitors) as bigint) as unique_visitors
from changes
inner join periods
    on changes.period = periods.period
group by
    periods.metric_date,
    changes.ip_asset_id,
    changes.period
having sum(changes.visitors) <> 0
