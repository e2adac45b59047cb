{{ config(event_time='metric_date') }}

with

published as (

    select * from {{ current_version('published_days') }}

),

ends as (

    select
        min(metric_date) as first_date,
        max(metric_date) as last_date
    from published

),

days as (

    select {{ each_day_of_years('first_date', 'last_date') }} as metric_date
    from ends

)

select
    days.metric_date,
    {{ date_part('isoyear', 'days.metric_date') }} as iso_year,
    {{ date_part('week', 'days.metric_date') }} as iso_week,
    {{ monday_of('days.metric_date') }} as week_start,
    {{ date_part('year', 'days.metric_date') }} as calendar_year,
    {{ date_part('quarter', 'days.metric_date') }} as calendar_quarter,
    {{ date_part('month', 'days.metric_date') }} as calendar_month,
    {{ month_of('days.metric_date') }} as month_start,
    {{ date_part('isodow', 'days.metric_date') }} as weekday_number,
    case {{ date_part('isodow', 'days.metric_date') }}
        when 1 then 'Monday'
        when 2 then 'Tuesday'
        when 3 then 'Wednesday'
        when 4 then 'Thursday'
        when 5 then 'Friday'
        when 6 then 'Saturday'
        when 7 then 'Sunday'
    end as weekday,
    published.metric_date is not null as is_published
from days
left join published
    on days.metric_date = published.metric_date
