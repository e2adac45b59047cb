{{ config(event_time='metric_date', pre_hook="{{ disable_nested_loops() }}") }}

with

days as (

    select * from {{ ref('daily_metrics') }}
    where {{ in_window('metric_date') }}

),

licenses as (

    select * from {{ ref('int_licenses') }}
    where not is_removed and brand_id is not null

),

asset_days as (

    {{ asset_sums() }}

)

-- Once, however many licenses of the project cover the day.
select distinct
    asset_days.metric_date,
    licenses.brand_id,
    licenses.project_id,
    asset_days.ip_asset_id,
    asset_days.views,
    asset_days.clicks,
    asset_days.conversions,
    asset_days.revenue_cents
from asset_days
inner join licenses
    on
        asset_days.ip_asset_id = licenses.ip_asset_id
        and {{ in_term('asset_days.metric_date', 'licenses.license_start_date', 'licenses.license_end_date') }}
