{{ config(
    event_time='written_with_date',
    pre_hook=[
        "{{ add_column_before_self_read('origin_utm_source', 'text') }}",
        "{{ disable_nested_loops() }}",
    ],
    post_hook=[
        'drop index if exists {{ this.schema }}.int_events_sessionized_grain',
        'create index if not exists int_events_sessionized_written_with_date on {{ this }} using brin (written_with_date)',
        'create index if not exists int_events_sessionized_license on {{ this }} (license_id) where has_only_license',
    ]
) }}

with

-- A session that begins in the window may go on into the next day, and no further.
events as (

    select * from {{ ref('stg_tracking__events') }}
    where {{ in_window_and_next_day('event_date') }}

),

-- These events once more, for the macros that find sessions. Postgres materializes a CTE that is read in several places: these
-- macros need a few columns, where `events` has all.
events_in_brief as (

    select * from {{ ref('stg_tracking__events') }}
    where {{ in_window_and_next_day('event_date') }}

),

attribution as (

    select * from {{ ref('int_attribution_with_channel') }}
    where {{ in_window_and_next_day('event_date') }}

),

event_types as (

    select * from {{ ref('event_types') }}

),

licenses as (

    select * from {{ ref('int_licenses') }}

),

identities as (

    select * from {{ ref('int_identity_resolved') }}
    where {{ in_window('event_date') }}

),

{{ previous_day_sessions() }},

{{ session_candidates() }},

{{ web_sessions() }},

{{ server_sessions() }},

{{ session_origins() }},

-- An event after midnight is written twice: for its own day, and as the next-day part of the session that began the day before.
copies as (

    select
        *,
        false as is_next_day_part
    from attributed_events
    where event_date < {{ window_end() }}
    union all
    select
        *,
        true as is_next_day_part
    from attributed_events
    where
        session_date < event_date
        and session_date >= {{ window_start() }}

),

placed as (

    select
        events.*,
        copies.session_key,
        copies.session_id,
        coalesce(copies.is_next_day_part, false) as is_next_day_part,
        copies.session_date,
        copies.origin_channel,
        copies.origin_source,
        copies.origin_medium,
        copies.origin_campaign,
        copies.origin_utm_source,
        -- An event that names a license and nothing else gets the asset and the project that the license is for.
        events.license_id is not null and events.ip_asset_id is null and events.project_id is null as has_only_license
    from events
    left join copies
        on
            events.event_id = copies.event_id
            and events.event_date = copies.event_date
    where
        events.event_date < {{ window_end() }}
        -- Of the next day only what belongs to the last day's sessions.
        or copies.is_next_day_part

),

described as (

    select
        placed.*,
        case
            when placed.is_next_day_part then null
            when placed.actor_id is not null then 'actor:' || placed.actor_id
            when identities.actor_id is not null then 'actor:' || identities.actor_id
            when placed.anonymous_id is not null then 'anonymous:' || placed.anonymous_id
            when placed.tracker_session_id is not null then 'session:' || placed.tracker_session_id
        end as visitor_id,
        licenses.ip_asset_id as license_asset_id,
        licenses.project_id as license_project_id,
        coalesce(event_types.is_view, false) as is_view,
        coalesce(event_types.is_click, false) as is_click,
        coalesce(event_types.is_conversion, false) as is_conversion,
        case event_types.value_prop
            when 'revenueCents' then placed.revenue_cents
            when 'feeCents' then placed.fee_cents
            else 0
        end as value_cents
    from placed
    left join event_types
        on placed.event_type = event_types.event_type
    left join licenses
        on
            placed.license_id = licenses.license_id
            and placed.has_only_license
    left join identities
        on
            placed.anonymous_id = identities.anonymous_id
            and placed.event_date = identities.event_date

)

select
    described.event_id,
    described.event_type,
    described.event_source,
    described.visitor_id,
    described.actor_id,
    described.anonymous_id,
    described.tracker_session_id,
    described.session_key,
    described.session_id,
    coalesce(described.ip_asset_id, described.license_asset_id) as ip_asset_id,
    coalesce(described.project_id, described.license_project_id) as project_id,
    described.license_id,
    {%- for column in ['channel', 'source', 'medium', 'campaign'] %}
        case
            when described.session_id is null then {{ channel_fallback('no_session', column) }}
            else coalesce(first_origins.origin_{{ column }}, {{ channel_fallback('no_origin', column) }})
        end as {{ column }},
    {%- endfor %}
    first_origins.origin_utm_source as utm_source,
    described.origin_channel,
    described.origin_source,
    described.origin_medium,
    described.origin_campaign,
    described.origin_utm_source,
    described.device_type,
    described.browser,
    described.os,
    described.page_path,
    described.revenue_cents,
    described.fee_cents,
    described.value_cents,
    described.engagement_time,
    described.is_bot,
    described.is_view,
    described.is_click,
    described.is_conversion,
    described.has_only_license,
    described.is_next_day_part,
    case when described.is_next_day_part then described.session_date else described.event_date end as written_with_date,
    described.session_date,
    described.event_date,
    described.occurred_at
from described
left join first_origins
    on described.session_id = first_origins.session_id
