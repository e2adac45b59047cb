{{ config(event_time='metric_date') }}

with

days as (

    select * from {{ published_or_built('creator_source_days') }}
    where {{ in_scope('metric_date') }}

)

select
    {{ month_of('metric_date') }} as metric_date,
    creator_id,
    utm_source,
    cast(sum(visits) as bigint) as visits,
    cast(sum(conversions) as bigint) as conversions
from days
group by
    {{ month_of('metric_date') }},
    creator_id,
    utm_source
