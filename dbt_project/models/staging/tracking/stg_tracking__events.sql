with

events as (

    select * from {{ source('tracking', 'events') }}

)

select
    event_id,
    event_key,
    event_type,
    source as event_source,
    actor_id,
    actor_type,
    anonymous_id,
    session_id as tracker_session_id,
    entity_type,
    entity_id,
    ip_asset_id,
    project_id,
    license_id,
    coalesce(revenue_cents, 0) as revenue_cents,
    coalesce(fee_cents, 0) as fee_cents,
    coalesce(engagement_time, 0) as engagement_time,
    props,
    {{ json_text("props", "path") }} as page_path,
    device_type,
    browser,
    os,
    is_bot,
    event_date,
    occurred_at,
    received_at
from events
