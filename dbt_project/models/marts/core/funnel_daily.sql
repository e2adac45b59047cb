{{ config(event_time='metric_date') }}

with

events as (

    select * from {{ ref('int_funnel_events') }}
    where {{ in_window('event_date') }}

),

events_looked_back_at as (

    select * from {{ ref('int_funnel_events') }}
    where {{ in_funnel_lookback('event_date') }}

),

days as (

    {{ days_of_window() }}

),

steps as (

    {{ funnel_steps() }}

),

{{ reached_steps() }},

counts as (

    select
        event_date,
        step_number,
        count(distinct visitor_id) as visitors
    from reached
    group by
        event_date,
        step_number

)

select
    days.metric_date,
    steps.step_number,
    steps.step,
    coalesce(counts.visitors, 0) as visitors
from days
cross join steps
left join counts
    on
        days.metric_date = counts.event_date
        and steps.step_number = counts.step_number
where {{ in_window('days.metric_date') }}
