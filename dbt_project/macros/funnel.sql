{# The steps of the funnel in their order, each as int_funnel_events numbers it. #}
{% macro funnel_steps() -%}
    select
        step_number,
        step
    from (values (1, 'viewed'), (2, 'downloaded_or_clicked'), (3, 'license_created'), (4, 'license_signed')) as steps (step_number, step)
{%- endmacro %}

{# True for the days of the window and those before them in which earlier steps count. #}
{% macro in_funnel_lookback(column) -%}
    {{ column }} >= {{ window_start() }} - {{ var('funnel_lookback_days') | int }} and {{ column }} < {{ window_end() }}
{%- endmacro %}

{# Common table expressions up to `reached`: the events of the window by which a visitor reaches a step of the funnel, with the
   channel of their session. Of `events` of the window and `events_looked_back_at`, the same with the days before. #}
{% macro reached_steps() -%}
{%- set lookback_days = var('funnel_lookback_days') | int -%}
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
        visitor_id,
        channel
    from events
    where step_number = 1

    union all

    select
        event_date,
        step_number,
        visitor_id,
        channel
    from after_licenses
    where
        {{ in_window('event_date') }}
        and case step_number
            when 2 then began_by_view
            when 3 then began_by_click
            when 4 then began_by_license
        end >= occurred_at - interval '{{ lookback_days * 24 }}' hour

)
{%- endmacro %}
