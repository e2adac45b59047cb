{{ config(event_time='last_date') }}

with

days as (

    select * from {{ current_version('visitor_active_days') }}
    where {{ in_scope_or_full_rebuild('metric_date', 'day') }}

),

days_before as (

    select * from {{ previously_published('visitor_active_days') }}
    where {{ in_window('metric_date') }}

),

-- Each of these CTEs is read in one place only. Otherwise Postgres materializes all of it instead of looking single rows up.
earlier_days as (

    select * from {{ previously_published('visitor_active_days') }}
    where metric_date < {{ window_start() }}

),

earlier_signed_in_days as (

    select * from {{ previously_published('visitor_active_days') }}
    where metric_date < {{ window_start() }} and is_signed_in

),

later_days as (

    select * from {{ previously_published('visitor_active_days') }}
    where metric_date >= {{ window_end() }}

),

previously_published as (

    select * from {{ previously_published('visitor_lifespans') }}

),

-- Visitors in the days that are built, and visitors of these days so far. Nothing can have changed for others.
seen as (

    select
        visitor_id,
        metric_date,
        case when is_signed_in then metric_date end as signed_in_date
    from days

    union all

    select
        visitor_id,
        cast(null as date) as metric_date,
        cast(null as date) as signed_in_date
    from days_before

),

touched as (

    select
        visitor_id,
        min(metric_date) as seen_first_date,
        max(metric_date) as seen_last_date,
        max(signed_in_date) as seen_last_signed_in_date
    from seen
    group by visitor_id

),

known as (

    select
        touched.*,
        previously_published.first_date as first_date_before,
        previously_published.last_date as last_date_before,
        previously_published.last_signed_in_date as last_signed_in_date_before
    from touched
    left join previously_published
        on touched.visitor_id = previously_published.visitor_id

),

-- The previous first or last day is in the window, and nothing is seen there now: the nearest day outside of it.
found as (

    select
        *,
        case
            when seen_first_date is null and {{ in_window('first_date_before') }} then (
                select min(later_days.metric_date) from later_days
                where later_days.visitor_id = known.visitor_id
            )
        end as later_date,
        case
            when seen_last_date is null and {{ in_window('last_date_before') }} then (
                select max(earlier_days.metric_date) from earlier_days
                where earlier_days.visitor_id = known.visitor_id
            )
        end as earlier_date,
        case
            when seen_last_signed_in_date is null and {{ in_window('last_signed_in_date_before') }} then (
                select max(earlier_signed_in_days.metric_date) from earlier_signed_in_days
                where earlier_signed_in_days.visitor_id = known.visitor_id
            )
        end as earlier_signed_in_date
    from known

)

select
    visitor_id,
    {{ first_day_incremental('seen_first_date', 'first_date_before', 'later_date') }} as first_date,
    {{ last_day_incremental('seen_last_date', 'last_date_before', 'earlier_date') }} as last_date,
    {{ last_day_incremental('seen_last_signed_in_date', 'last_signed_in_date_before', 'earlier_signed_in_date') }}
        as last_signed_in_date
from found
