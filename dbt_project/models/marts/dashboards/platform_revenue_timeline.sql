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
    on
        periods.first_date <= days.metric_date
        and periods.last_date >= days.metric_date
