{{ config(event_time='metric_date') }}

with

events as (

    select * from {{ ref('int_events_attributed') }}
    where {{ in_window('event_date') }}

),

-- Bots, and events that name no asset, project or license, are outside; reconciliation counts them.
measured as (

    select * from events
    where
        not is_bot
        and coalesce(ip_asset_id, project_id, license_id) is not null

)

select
    event_date as metric_date,
    project_id,
    ip_asset_id,
    license_id,
    channel,
    source,
    medium,
    campaign,
    cast(sum(case when is_view then 1 else 0 end) as bigint) as views,
    cast(sum(case when is_click then 1 else 0 end) as bigint) as clicks,
    cast(sum(case when is_conversion then 1 else 0 end) as bigint) as conversions,
    cast(sum(revenue_cents) as bigint) as revenue_cents,
    count(distinct visitor_id) as unique_visitors,
    cast(sum(engagement_time) as numeric(20, 3)) as engagement_time
from measured
group by
    event_date,
    project_id,
    ip_asset_id,
    license_id,
    channel,
    source,
    medium,
    campaign
