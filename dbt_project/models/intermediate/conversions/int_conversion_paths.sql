{{ config(
    event_time='conversion_date',
    pre_hook="{{ disable_nested_loops() }}",
    post_hook='create index if not exists int_conversion_paths_visitor on {{ this }} (visitor_id, conversion_date)'
) }}

{%- set lookback_days = var('attribution_lookback_days') | int %}

with

events as (

    select * from {{ ref('int_events_attributed') }}
    where {{ in_window('event_date') }}

),

-- Looked up by identity and time. Restricted by their days too, Postgres reads the index of all these days for each touch.
all_sessions as (

    select * from {{ ref('int_sessions') }}

),

-- Looked up by actor for the devices, and by device for its actors.
observations_of_actors as (

    select * from {{ ref('int_identity_observations') }}
    where actor_id is not null

),

observations_of_devices as (

    select * from {{ ref('int_identity_observations') }}
    where actor_id is not null

),

conversions as (

    select
        event_id as conversion_id,
        event_date as conversion_date,
        occurred_at as converted_at,
        visitor_id,
        case when visitor_id like 'actor:%' then substr(visitor_id, length('actor:') + 1) end as actor_id,
        value_cents,
        project_id,
        ip_asset_id,
        license_id
    from events
    where
        is_conversion
        and not is_bot

),

{{ devices_of_actors() }},

visitor_identities as (

    select distinct
        conversion_date,
        visitor_id,
        visitor_id as identity_id
    from conversions
    where visitor_id is not null
    union all
    select
        conversion_date,
        'actor:' || actor_id as visitor_id,
        'anonymous:' || anonymous_id as identity_id
    from own_devices

),

-- To the microsecond and with both ends. In hours, because a day of the database's time zone may have 23 of them.
touches as (

    select
        conversions.conversion_id,
        conversions.conversion_date,
        sessions.session_id,
        sessions.session_started_at as touched_at,
        sessions.channel,
        sessions.source,
        sessions.medium,
        sessions.campaign
    from conversions
    inner join visitor_identities
        on
            conversions.visitor_id = visitor_identities.visitor_id
            and conversions.conversion_date = visitor_identities.conversion_date
    {{ index_lookup_join(
        'all_sessions',
        'sessions',
        "sessions.identity_id = visitor_identities.identity_id
            and sessions.session_started_at >= conversions.converted_at - interval '" ~ lookback_days * 24 ~ "' hour
            and sessions.session_started_at <= conversions.converted_at"
    ) }}

),

judged_touches as (

    select
        *,
        {{ is_kept_in_path() }} as is_kept
    from touches

),

path_touches as (

    select
        *,
        row_number() over (
            partition by conversion_date, conversion_id order by touched_at, session_id
        ) as touch_number,
        count(*) over (partition by conversion_date, conversion_id) as touches
    from judged_touches
    where is_kept

)

select
    conversions.conversion_id,
    conversions.visitor_id,
    conversions.project_id,
    conversions.ip_asset_id,
    conversions.license_id,
    path_touches.session_id,
    path_touches.channel,
    path_touches.source,
    path_touches.medium,
    path_touches.campaign,
    path_touches.touch_number,
    coalesce(path_touches.touches, 0) as touches,
    conversions.value_cents,
    path_touches.touched_at,
    conversions.converted_at,
    conversions.conversion_date
from conversions
left join path_touches
    on
        conversions.conversion_id = path_touches.conversion_id
        and conversions.conversion_date = path_touches.conversion_date
