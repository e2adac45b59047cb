{{ config(materialized='view', event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

days as (

    select * from {{ ref('platform_daily_metrics') }}

)

select
    periods.period,
    days.metric_date,
    days.revenue_cents
from periods
inner join days
    on {{ is_in_period('days.metric_date') }}
