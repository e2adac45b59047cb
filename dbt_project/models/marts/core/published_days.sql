{{ config(event_time='metric_date') }}

with

days as (

    {{ days_of_window() }}

)

select
    metric_date,
    {{ monday_of('metric_date') }} as week_start,
    {{ month_of('metric_date') }} as month_start
from days
where {{ in_window('metric_date') }}
