{{ config(event_time='metric_date') }}

-- A day is one when its events are. Without a parent Dagster would take the marts that come of it for another branch, and
-- refuse a range of all of them.
-- depends_on: {{ ref('int_events_attributed') }}
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
