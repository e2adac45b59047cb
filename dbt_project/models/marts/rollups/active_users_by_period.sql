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

remembered_activity as (

    select * from {{ remembered('visitor_activity') }}

),

counts_before as (

    select * from {{ remembered('active_users_by_period') }}

),

users as (

    select * from {{ ref('int_users_latest') }}
    where not is_deleted

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
        on bounds.first_date is null or days_moved.last_signed_in_date >= bounds.first_date

),

counts as (

    select
        period,
        sum(users) as active_users
    from changes
    group by period

),

-- When everyone was signed in last: as this run finds it, or else as it was before.
sign_ins as (

    select
        visitor_id,
        last_signed_in_date
    from touched
    where last_signed_in_date is not null

    union all

    select
        visitor_id,
        last_signed_in_date
    from remembered_activity
    where
        last_signed_in_date is not null
        and not exists (
            select 1 from touched
            where touched.visitor_id = remembered_activity.visitor_id
        )

),

known as (

    select
        periods.period,
        count(*) as known_users
    from users
    inner join sign_ins
        on sign_ins.visitor_id = 'actor:' || users.user_id
    inner join periods
        on
            {{ utc_date('users.created_at') }} <= periods.metric_date
            and (periods.first_date is null or sign_ins.last_signed_in_date >= periods.first_date)
    group by periods.period

)

select
    periods.metric_date,
    periods.period,
    cast(coalesce(counts.active_users, 0) as bigint) as active_users,
    cast(coalesce(known.known_users, 0) as bigint) as known_users
from periods
left join counts
    on periods.period = counts.period
left join known
    on periods.period = known.period
