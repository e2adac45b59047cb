{{ config(event_time='metric_date') }}

with

events as (

    select * from {{ ref('int_events_attributed') }}
    where {{ in_window('event_date') }}

)

-- The events that daily_metrics counts, as far as they have a visitor.
select distinct
    event_date as metric_date,
    project_id,
    ip_asset_id,
    license_id,
    visitor_id
from events
where
    not is_bot
    and visitor_id is not null
    and coalesce(ip_asset_id, project_id, license_id) is not null
