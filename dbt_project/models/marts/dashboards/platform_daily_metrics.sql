{{ config(event_time='metric_date') }}

with

days as (

    select * from {{ ref('published_days') }}
    where {{ in_window('metric_date') }}

),

metrics as (

    select * from {{ ref('daily_metrics') }}
    where {{ in_window('metric_date') }}

)

-- A day on which nothing happened is one too.
select
    days.metric_date,
    cast(coalesce(sum(metrics.views), 0) as bigint) as views,
    cast(coalesce(sum(metrics.clicks), 0) as bigint) as clicks,
    cast(coalesce(sum(metrics.conversions), 0) as bigint) as conversions,
    cast(coalesce(sum(metrics.revenue_cents), 0) as bigint) as revenue_cents
from days
left join metrics
    on days.metric_date = metrics.metric_date
group by days.metric_date
