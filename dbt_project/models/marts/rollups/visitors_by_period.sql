{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

periods_before as (

    select * from {{ previously_published('periods') }}

),

touched as (

    select * from {{ ref('visitor_asset_last_seen') }}

),

last_seen_before as (

    select * from {{ previously_published('visitor_asset_last_seen') }}

),

looked_up as (

    select * from {{ previously_published('visitor_asset_last_seen') }}

),

counts_before as (

    select * from {{ previously_published('visitors_by_period') }}

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
