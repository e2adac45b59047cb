{{ config(event_time='metric_date') }}

with

days as (

    select * from {{ published_or_built('referrer_days') }}
    where {{ in_scope('metric_date') }}

)

select
    {{ month_of('metric_date') }} as metric_date,
    ip_asset_id,
    referrer,
    cast(sum(views) as bigint) as views
from days
group by
    {{ month_of('metric_date') }},
    ip_asset_id,
    referrer
