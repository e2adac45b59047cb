{{ config(
    event_time='event_date',
    post_hook=[
        'create index if not exists int_events_attributed_event_date on {{ this }} using brin (event_date)',
        'create index if not exists int_events_attributed_license on {{ this }} (license_id) where names_license_only',
    ]
) }}

with

events as (

    select * from {{ ref('stg_tracking__events') }}
    where {{ in_window('event_date') }}

),

attribution as (

    select * from {{ ref('int_attribution_classified') }}
    where {{ in_window('event_date') }}

),

event_types as (

    select * from {{ ref('event_types') }}

),

licenses as (

    select * from {{ ref('int_licenses_latest') }}

),

identities as (

    select * from {{ ref('int_identity_resolved') }}
    where {{ in_window('event_date') }}

),

-- An event that names a license and nothing else gets the asset and the project that the license is for.
placed as (

    select
        events.*,
        -- A server's call is part of nobody's visit, and neither is an event that names no visitor.
        events.event_source in ('api', 'system', 'webhook')
        or coalesce(events.actor_id, events.anonymous_id, cast(events.tracker_session_id as text)) is null as is_outside_visits,
        events.license_id is not null and events.ip_asset_id is null and events.project_id is null as names_license_only
    from events

),

joined as (

    select
        placed.event_id,
        placed.event_type,
        placed.event_source,
        case
            when placed.actor_id is not null then 'actor:' || placed.actor_id
            when identities.actor_id is not null then 'actor:' || identities.actor_id
            when placed.anonymous_id is not null then 'anonymous:' || placed.anonymous_id
            when placed.tracker_session_id is not null then 'session:' || placed.tracker_session_id
        end as visitor_id,
        placed.actor_id,
        placed.anonymous_id,
        placed.tracker_session_id,
        coalesce(placed.ip_asset_id, case when placed.names_license_only then licenses.ip_asset_id end) as ip_asset_id,
        coalesce(placed.project_id, case when placed.names_license_only then licenses.project_id end) as project_id,
        placed.license_id,
        case
            when placed.is_outside_visits then 'Unassigned'
            else coalesce(attribution.channel, 'Direct')
        end as channel,
        case
            when placed.is_outside_visits then '(not set)'
            else coalesce(attribution.source, '(direct)')
        end as source,
        case
            when placed.is_outside_visits then '(not set)'
            else coalesce(attribution.medium, '(none)')
        end as medium,
        case
            when placed.is_outside_visits then '(not set)'
            else coalesce(attribution.campaign, '(not set)')
        end as campaign,
        placed.device_type,
        placed.browser,
        placed.os,
        placed.revenue_cents,
        placed.fee_cents,
        placed.engagement_time,
        placed.is_bot,
        coalesce(event_types.is_view, false) as is_view,
        coalesce(event_types.is_click, false) as is_click,
        coalesce(event_types.is_conversion, false) as is_conversion,
        placed.names_license_only,
        placed.event_date,
        placed.occurred_at
    from placed
    left join attribution
        on
            placed.event_id = attribution.event_id
            and placed.event_date = attribution.event_date
    left join event_types
        on placed.event_type = event_types.event_type
    left join licenses
        on placed.license_id = licenses.license_id
    left join identities
        on
            placed.anonymous_id = identities.anonymous_id
            and placed.event_date = identities.event_date

)

select * from joined
