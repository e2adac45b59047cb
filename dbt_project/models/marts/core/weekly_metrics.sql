{{ config(event_time='metric_date') }}

with

days as (

    select * from {{ published_or_built('daily_metrics') }}
    where {{ in_scope('metric_date') }}

),

visitors as (

    select * from {{ published_or_built('visitor_days') }}
    where {{ in_scope('metric_date') }}

),

calendar as (

    select * from {{ published_or_built('published_days') }}
    where {{ in_scope('metric_date') }}

),

published_before as (

    select * from {{ published('weekly_metrics') }}
    where {{ just_before_scope('metric_date') }}

),

measured as (

    {{ period_metrics(monday_of, week_after) }}

)

select
    {{ period_metrics_columns() }}
from measured
where is_made
