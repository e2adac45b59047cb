{{ config(event_time='metric_date') }}

with

days as (

    select * from {{ current_version('creator_source_days') }}
    where {{ in_scope('metric_date') }}

)

{{ monthly_sums(['creator_id', 'utm_source'], ['visits', 'conversions']) }}
