{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

periods_before as (

    select * from {{ remembered('periods') }}

),

touched as (

    select * from {{ ref('visitor_last_days') }}

),

last_seen_before as (

    select * from {{ remembered('visitor_last_days') }}

),

looked_up as (

    select * from {{ remembered('visitor_last_days') }}

),

counts_before as (

    select * from {{ remembered('visitors_by_period') }}

),

{{ counts_by_period(['ip_asset_id'], last_date='last_date', count='unique_visitors') }}

select
    periods.metric_date,
    counts.ip_asset_id,
    counts.period,
    cast(counts.counted as bigint) as unique_visitors
from counts
inner join periods
    on counts.period = periods.period
where counts.counted <> 0
