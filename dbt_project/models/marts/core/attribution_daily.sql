{{ config(event_time='metric_date') }}

with

credits as (

    select * from {{ ref('attribution_credits') }}
    where {{ in_window('metric_date') }}

)

select
    metric_date,
    model,
    channel,
    source,
    medium,
    campaign,
    cast(sum(weight) as numeric(20, 12)) as credited_conversions,
    cast(sum(credited_cents) as bigint) as credited_cents
from credits
group by
    metric_date,
    model,
    channel,
    source,
    medium,
    campaign
