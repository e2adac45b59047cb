{{ config(event_time='metric_date') }}

with

days as (

    select * from {{ published_or_built('creator_asset_days') }}
    where {{ in_scope('metric_date') }}

)

select
    {{ month_of('metric_date') }} as metric_date,
    creator_id,
    ip_asset_id,
    cast(sum(views) as bigint) as views,
    cast(sum(clicks) as bigint) as clicks,
    cast(sum(conversions) as bigint) as conversions,
    cast(sum(revenue_cents) as bigint) as revenue_cents
from days
group by
    {{ month_of('metric_date') }},
    creator_id,
    ip_asset_id
