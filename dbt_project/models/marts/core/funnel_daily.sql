{{ config(event_time='metric_date') }}

{%- set lookback_days = var('funnel_lookback_days') | int %}

with

events as (

    select * from {{ ref('int_funnel_events') }}
    where {{ in_window('event_date') }}

),

events_looked_back_at as (

    select * from {{ ref('int_funnel_events') }}
    where event_date >= {{ window_start() }} - {{ lookback_days }} and event_date < {{ window_end() }}

),

days as (

    {{ days_of_window() }}

),

steps as (

    {{ funnel_steps() }}

),

-- Only of whom comes further than to a view in the window does it matter what was before.
pairs as (

    select distinct
        visitor_id,
        ip_asset_id
    from events
    where step_number > 1

),

history as (

    select events_looked_back_at.*
    from pairs
    inner join events_looked_back_at
        on
            pairs.visitor_id = events_looked_back_at.visitor_id
            and pairs.ip_asset_id = events_looked_back_at.ip_asset_id

),

-- A chain is one event of each step, in order. Of all chains that an event goes on from, the one that began last decides
-- whether it lies in the days before: when that was, from step to step the latest so far.
after_views as (

    select
        *,
        max(case when step_number = 1 then occurred_at end) over (
            partition by visitor_id, ip_asset_id order by occurred_at, event_id
        ) as began_by_view
    from history

),

after_clicks as (

    select
        *,
        max(case when step_number = 2 then began_by_view end) over (
            partition by visitor_id, ip_asset_id order by occurred_at, event_id
        ) as began_by_click
    from after_views

),

after_licenses as (

    select
        *,
        max(case when step_number = 3 then began_by_click end) over (
            partition by visitor_id, ip_asset_id order by occurred_at, event_id
        ) as began_by_license
    from after_clicks

),

-- To the microsecond and with both ends. In hours, because a day of the database's time zone may have 23 of them.
reached as (

    select
        event_date,
        step_number,
        visitor_id
    from events
    where step_number = 1

    union all

    select
        event_date,
        step_number,
        visitor_id
    from after_licenses
    where
        {{ in_window('event_date') }}
        and case step_number
            when 2 then began_by_view
            when 3 then began_by_click
            when 4 then began_by_license
        end >= occurred_at - interval '{{ lookback_days * 24 }}' hour

),

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
