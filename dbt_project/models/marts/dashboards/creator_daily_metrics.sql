{{ config(event_time='metric_date') }}

with

assets as (

    select * from {{ ref('creator_asset_days') }}
    where {{ in_window('metric_date') }}

)

select
    metric_date,
    creator_id,
    cast(sum(views) as bigint) as views,
    cast(sum(clicks) as bigint) as clicks,
    cast(sum(conversions) as bigint) as conversions,
    cast(sum(revenue_cents) as bigint) as revenue_cents
from assets
group by
    metric_date,
    creator_id
