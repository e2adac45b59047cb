{{ config(event_time='metric_date') }}

with

sessions as (

    select * from {{ ref('sessions') }}
    where {{ in_window('metric_date') }}

)

select
    metric_date,
    channel,
    device_type,
    browser,
    os,
    count(*) as sessions,
    count(case when is_engaged then 1 end) as engaged_sessions,
    count(case when conversions > 0 then 1 end) as converting_sessions,
    count(distinct visitor_id) as unique_visitors,
    cast(sum(events) as bigint) as events,
    cast(sum(views) as bigint) as views,
    cast(sum(clicks) as bigint) as clicks,
    cast(sum(conversions) as bigint) as conversions,
    cast(sum(revenue_cents) as bigint) as revenue_cents,
    cast(sum(engagement_time) as numeric(20, 3)) as engagement_time,
    cast(sum(duration_seconds) as numeric(20, 6)) as duration_seconds
from sessions
group by
    metric_date,
    channel,
    device_type,
    browser,
    os
