{{ config(event_time='metric_date') }}

with

days as (

    select * from {{ published_or_built('published_days') }}

),

lengths as (

    {{ lengths_of_periods() }}

),

ends as (

    select
        min(metric_date) as first_day,
        max(metric_date) as last_day
    from days

)

select
    ends.last_day as metric_date,
    lengths.period,
    cast(case when lengths.days is null then ends.first_day else ends.last_day - (lengths.days - 1) end as date) as first_date,
    ends.last_day as last_date
from lengths
cross join ends
