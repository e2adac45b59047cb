{{ config(
    event_time='event_date',
    post_hook=[
        'drop index if exists {{ this.schema }}.int_funnel_events_grain',
        'create index if not exists int_funnel_events_event_date on {{ this }} using brin (event_date)',
        'create index if not exists int_funnel_events_pair on {{ this }} (visitor_id, ip_asset_id, event_date)',
    ]
) }}

with

events as (

    select * from {{ ref('int_events_attributed') }}
    where {{ in_window('event_date') }}

),

steps as (

    select
        event_id,
        visitor_id,
        ip_asset_id,
        channel,
        case
            when event_type = 'license_signed' then 4
            when event_type = 'license_created' then 3
            when is_click then 2
            when is_view then 1
        end as step_number,
        event_date,
        occurred_at
    from events
    where
        not is_bot
        and visitor_id is not null
        and ip_asset_id is not null

)

select
    event_id,
    visitor_id,
    ip_asset_id,
    step_number,
    channel,
    event_date,
    occurred_at
from steps
where step_number is not null
