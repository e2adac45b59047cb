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

steps as (

    {{ funnel_steps() }}

),

{{ reached_steps() }},

counts as (

    select
        event_date,
        step_number,
        channel,
        count(distinct visitor_id) as visitors
    from reached
    group by
        event_date,
        step_number,
        channel

),

-- A channel has all steps on a day on which it has one.
channels as (

    select distinct
        event_date,
        channel
    from counts

)

select
    channels.event_date as metric_date,
    channels.channel,
    steps.step_number,
    steps.step,
    coalesce(counts.visitors, 0) as visitors
from channels
cross join steps
left join counts
    on
        channels.event_date = counts.event_date
        and channels.channel = counts.channel
        and steps.step_number = counts.step_number
