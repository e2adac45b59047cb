{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

periods_before as (

    select * from {{ remembered('periods') }}

),

touched as (

    select * from {{ ref('visitor_activity') }}

),

activity_before as (

    select * from {{ remembered('visitor_activity') }}

),

looked_up as (

    select * from {{ remembered('visitor_activity') }}

),

counts_before as (

    select * from {{ remembered('active_users_by_period') }}

),

-- What became of each period: those who were last signed in on one of its days are counted.
bounds as (

    select
        periods.period,
        periods.first_date,
        periods_before.first_date as first_date_before
    from periods
    left join periods_before
        on periods.period = periods_before.period

),

-- The period has moved on past the day on which they were last signed in.
moved_past as (

    select
        bounds.period,
        -1 as users
    from bounds
    inner join activity_before
        on
            bounds.first_date_before <= activity_before.last_signed_in_date
            and bounds.first_date > activity_before.last_signed_in_date

),

-- Whose last day is another one than before.
moves as (

    select
        last_signed_in_date,
        1 as users
    from touched

    union all

    -- Looked up one by one, by an index: what is remembered is as long as history.
    select
        (
            select looked_up.last_signed_in_date from looked_up
            where looked_up.visitor_id = touched.visitor_id
        ) as last_signed_in_date,
        -1 as users
    from touched

),

days_moved as (

    select
        last_signed_in_date,
        sum(users) as users
    from moves
    where last_signed_in_date is not null
    group by last_signed_in_date

),

changes as (

    select
        period,
        active_users as users
    from counts_before

    union all

    select
        period,
        users
    from moved_past

    union all

    select
        bounds.period,
        days_moved.users
    from days_moved
    inner join bounds
        on days_moved.last_signed_in_date >= bounds.first_date

)

select
    periods.metric_date,
    periods.period,
    cast(coalesce(sum(changes.users), 0) as bigint) as active_users
from periods
left join changes
    on periods.period = changes.period
group by
    periods.metric_date,
    periods.period
