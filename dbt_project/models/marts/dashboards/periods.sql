{{ config(event_time='metric_date') }}

with

days as (

    select * from {{ current_version('published_days') }}

),

lengths as (

    {{ lengths_of_periods() }}

),

ends as (

    select
        min(metric_date) as first_day,
        max(metric_date) as last_day
    from days

),

-- Without a length there is no first day.
spans as (

    select
        lengths.period,
        ends.last_day,
        ends.last_day - (lengths.days - 1) as first_date,
        greatest(ends.first_day, ends.last_day - (lengths.days - 1)) as first_known_day
    from lengths
    cross join ends
    where ends.last_day is not null

),

-- The first published day is as far as the warehouse goes back; what is missing is missing after it.
published as (

    select
        spans.period,
        count(*) as published_days
    from spans
    inner join days
        on spans.first_known_day <= days.metric_date
    group by spans.period

)

select
    spans.last_day as metric_date,
    spans.period,
    spans.first_date,
    spans.last_day as last_date,
    cast(spans.last_day - spans.first_known_day + 1 - published.published_days as integer) as days_missing
from spans
inner join published
    on spans.period = published.period
