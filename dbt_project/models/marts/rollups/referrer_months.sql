{{ config(event_time='metric_date') }}

with

days as (

    select * from {{ current_version('referrer_days') }}
    where {{ in_scope('metric_date') }}

)

{{ monthly_sums(['ip_asset_id', 'referrer'], ['views']) }}
