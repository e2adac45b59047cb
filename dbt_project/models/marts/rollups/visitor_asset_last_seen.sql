{{ config(event_time='last_date') }}

with

visits as (

    select * from {{ current_version('visitor_asset_days') }}
    where {{ in_scope_or_full_rebuild('metric_date', 'day') }}

),

visits_before as (

    select * from {{ previously_published('visitor_asset_days') }}
    where {{ in_window('metric_date') }}

),

earlier_visits as (

    select * from {{ previously_published('visitor_asset_days') }}
    where metric_date < {{ window_start() }}

),

previously_published as (

    select * from {{ previously_published('visitor_asset_last_seen') }}

),

-- Visitors in the days that are built, and visitors of these days so far. Nothing can have changed for others.
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

known as (

    select
        touched.*,
        previously_published.last_date as remembered_date
    from touched
    left join previously_published
        on
            touched.ip_asset_id = previously_published.ip_asset_id
            and touched.visitor_id = previously_published.visitor_id

),

-- The previous last day is in the window, and nothing is seen there now: the last day before the window.
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
    {{ last_day_incremental('seen_date', 'remembered_date', 'earlier_date') }} as last_date
from found
