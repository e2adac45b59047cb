{{ config(event_time='metric_date') }}

with

days as (

    select * from {{ current_version('daily_metrics') }}
    where {{ in_scope('metric_date') }}

),

visitors as (

    select * from {{ current_version('visitor_asset_days') }}
    where {{ in_scope('metric_date') }}

),

calendar as (

    select * from {{ current_version('published_days') }}
    where {{ in_scope('metric_date') }}

),

published_before as (

    select * from {{ published_period_before('monthly_metrics', columns_of_previous_period()) }}
    where {{ in_previous_period('metric_date') }}

),

measured as (

    {{ period_metrics(month_of, month_after) }}

)

select
    {{ period_metrics_columns() }}
from measured
where is_made
