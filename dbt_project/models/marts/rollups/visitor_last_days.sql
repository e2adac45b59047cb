{{ config(event_time='last_date') }}

with

visits as (

    select * from {{ published_or_built('visitor_days') }}
    where {{ in_scope_or_anew('metric_date', 'day') }}

),

visits_before as (

    select * from {{ remembered('visitor_days') }}
    where {{ in_window('metric_date') }}

),

earlier_visits as (

    select * from {{ remembered('visitor_days') }}
    where metric_date < {{ window_start() }}

),

remembered as (

    select * from {{ remembered('visitor_last_days') }}

),

-- Whoever visits in the days that are built, and whoever did so far: for all others nothing can have changed.
seen as (

    select
        ip_asset_id,
        visitor_id,
        max(metric_date) as seen_date
    from visits
    where ip_asset_id is not null
    group by
        ip_asset_id,
        visitor_id

    union all

    select distinct
        ip_asset_id,
        visitor_id,
        cast(null as date) as seen_date
    from visits_before
    where ip_asset_id is not null

),

touched as (

    select
        ip_asset_id,
        visitor_id,
        max(seen_date) as seen_date
    from seen
    group by
        ip_asset_id,
        visitor_id

),

-- Looked up one by one, by an index: what is remembered is as long as history.
known as (

    select
        *,
        (
            select remembered.last_date from remembered
            where remembered.ip_asset_id = touched.ip_asset_id and remembered.visitor_id = touched.visitor_id
        ) as remembered_date
    from touched

),

-- What was the last day is built anew, and no longer seen there or later: the last one before the window.
found as (

    select
        *,
        case
            when seen_date is null and {{ in_window('remembered_date') }} then (
                select max(earlier_visits.metric_date) from earlier_visits
                where earlier_visits.visitor_id = known.visitor_id and earlier_visits.ip_asset_id = known.ip_asset_id
            )
        end as earlier_date
    from known

)

select
    ip_asset_id,
    visitor_id,
    {{ last_day_carried_on('seen_date', 'remembered_date', 'earlier_date') }} as last_date
from found
