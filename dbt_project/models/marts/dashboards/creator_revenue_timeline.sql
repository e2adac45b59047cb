{{ config(materialized='view', event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

calendar as (

    select * from {{ ref('published_days') }}

),

creators as (

    select * from {{ ref('creator_dashboard') }}

),

days as (

    select * from {{ ref('creator_daily_metrics') }}

)

select
    periods.period,
    calendar.metric_date,
    creators.creator_id,
    coalesce(days.revenue_cents, 0) as revenue_cents
from periods
inner join calendar
    on {{ is_in_period('calendar.metric_date') }}
inner join creators
    on periods.period = creators.period
left join days
    on
        calendar.metric_date = days.metric_date
        and creators.creator_id = days.creator_id
