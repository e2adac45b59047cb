{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

periods_before as (

    select * from {{ previously_published('periods') }}

),

touched as (

    select * from {{ ref('visitor_lifespans') }}

),

last_seen_before as (

    select * from {{ previously_published('visitor_lifespans') }}

),

looked_up as (

    select * from {{ previously_published('visitor_lifespans') }}

),

previous_sign_ins as (

    select * from {{ previously_published('visitor_lifespans') }}

),

counts_before as (

    select * from {{ previously_published('active_users_by_period') }}

),

users as (

    select * from {{ ref('stg_marketplace__users') }}
    where not is_deleted

),

{{ counts_by_period([], last_date='last_signed_in_date', count='active_users') }},

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
    from previous_sign_ins
    where
        last_signed_in_date is not null
        and not exists (
            select 1 from touched
            where touched.visitor_id = previous_sign_ins.visitor_id
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
    cast(coalesce(counts.counted, 0) as bigint) as active_users,
    cast(coalesce(known.known_users, 0) as bigint) as known_users
from periods
left join counts
    on periods.period = counts.period
left join known
    on periods.period = known.period
