{{ config(event_time='metric_date') }}

with

days as (

    select * from {{ current_version('brand_asset_days') }}
    where {{ in_scope('metric_date') }}

)

{{ monthly_sums(['brand_id', 'project_id', 'ip_asset_id'], ['views', 'clicks', 'conversions', 'revenue_cents']) }}
