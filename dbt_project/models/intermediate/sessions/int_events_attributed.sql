{{ config(materialized='view') }}

with

events as (

    select * from {{ ref('int_events_sessionized') }}

)

select
    event_id,
    event_type,
    event_source,
    visitor_id,
    actor_id,
    anonymous_id,
    tracker_session_id,
    session_id,
    ip_asset_id,
    project_id,
    license_id,
    channel,
    source,
    medium,
    campaign,
    utm_source,
    device_type,
    browser,
    os,
    page_path,
    revenue_cents,
    fee_cents,
    value_cents,
    engagement_time,
    is_bot,
    is_view,
    is_click,
    is_conversion,
    has_only_license,
    -- Equal to event_date in every row of its own day, and the column that the table is indexed by.
    written_with_date as event_date,
    session_date,
    occurred_at
from events
where not is_next_day_part
