{{ config(
    event_time='window_date',
    pre_hook="{{ add_column_before_self_read('origin_utm_source', 'text') }}",
    post_hook=[
        'drop index if exists {{ this.schema }}.int_events_sessionized_grain',
        'create index if not exists int_events_sessionized_window_date on {{ this }} using brin (window_date)',
        'create index if not exists int_events_sessionized_license on {{ this }} (license_id) where names_license_only',
    ]
) }}

{%- set oldest_first = 'occurred_at, event_id' %}

with

-- A session that begins in the window may go on into the next day, and no further.
events as (

    select * from {{ ref('stg_tracking__events') }}
    where {{ in_window_and_next_day('event_date') }}

),

-- The same once more, for what tells sessions: what is read in several places the server writes out, and these are a few
-- columns where `events` has all.
events_in_brief as (

    select * from {{ ref('stg_tracking__events') }}
    where {{ in_window_and_next_day('event_date') }}

),

attribution as (

    select * from {{ ref('int_attribution_classified') }}
    where {{ in_window_and_next_day('event_date') }}

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

-- What the day before says of its own events: its sessions may go on in the window.
day_before as (

    {% if not is_first_build() -%}
        select
            event_id,
            event_source,
            actor_id,
            session_key,
            session_id,
            session_date,
            origin_channel,
            origin_source,
            origin_medium,
            origin_campaign,
            origin_utm_source,
            event_date,
            occurred_at
        from {{ this }}
        where
            window_date = {{ window_start() }} - 1
            and not is_tail
            and session_id is not null
    {%- else -%}
        select
            event_id,
            event_source,
            actor_id,
            cast(null as text) as session_key,
            event_id as session_id,
            event_date as session_date,
            cast(null as text) as origin_channel,
            cast(null as text) as origin_source,
            cast(null as text) as origin_medium,
            cast(null as text) as origin_campaign,
            cast(null as text) as origin_utm_source,
            event_date,
            occurred_at
        from events_in_brief
        where false
    {%- endif %}

),

-- Browsers and apps make visits. Servers and robots make none.
followed_events as (

    select
        event_id,
        case
            when event_source in ('web', 'mobile')
                then {{ session_key('tracker_session_id', 'anonymous_id', 'actor_id') }}
        end as session_key,
        actor_id,
        event_source not in ('web', 'mobile') as is_server,
        event_date,
        occurred_at
    from events_in_brief
    where not is_bot

),

keys_of_first_day as (

    select distinct session_key
    from followed_events
    where
        event_date = {{ window_start() }}
        and session_key is not null

),

keys_of_last_day as (

    select distinct session_key
    from followed_events
    where
        event_date = {{ window_end() }} - 1
        and session_key is not null

),

-- Who may still be in a session of the last day when that is over, and have servers' events join it.
actors_of_next_day as (

    select distinct actor_id
    from followed_events
    where
        event_date = {{ window_end() }}
        and actor_id is not null
        and session_key in (select keys_of_last_day.session_key from keys_of_last_day)

),

-- Each session that began on the day before and may go on, as one event: its last.
open_sessions as (

    select
        session_id as event_id,
        session_key,
        cast(null as text) as actor_id,
        max(event_date) as event_date,
        max(occurred_at) as occurred_at
    from day_before
    where
        session_date = event_date
        and event_source in ('web', 'mobile')
        and session_key in (select keys_of_first_day.session_key from keys_of_first_day)
    group by session_id, session_key

),

keyed as (

    select
        event_id,
        session_key,
        actor_id,
        event_date,
        occurred_at
    from followed_events
    where
        session_key is not null
        and (
            event_date < {{ window_end() }}
            or session_key in (select keys_of_last_day.session_key from keys_of_last_day)
            -- A server's event of the next day may follow its actor into a session that begins there.
            or (actor_id is not null and occurred_at < {{ window_end_at() }} + interval '30' minute)
            or actor_id in (select actors_of_next_day.actor_id from actors_of_next_day)
        )
    union all
    select
        event_id,
        session_key,
        actor_id,
        event_date,
        occurred_at
    from open_sessions

),

-- A tracker's session goes on from day to day; one that is told by its events ends where they pause for 30 minutes.
breaks as (

    select
        event_id,
        session_key,
        actor_id,
        event_date,
        occurred_at,
        case
            when session_key like 'session:%' and event_date - lag(event_date) over key_order <= 1 then 0
            when
                session_key not like 'session:%'
                and occurred_at - lag(occurred_at) over key_order < interval '30' minute
                then 0
            else 1
        end as begins_chain
    from keyed
    window key_order as (partition by session_key order by occurred_at, event_id)

),

-- No two events are equal in this order, and without peers to look for the sums cost half.
chains as (

    select
        event_id,
        session_key,
        actor_id,
        event_date,
        occurred_at,
        sum(begins_chain) over so_far as chain_number,
        max(case when begins_chain = 1 then event_date end) over so_far as chain_date
    from breaks
    window so_far as (partition by session_key order by occurred_at, event_id rows unbounded preceding)

),

-- A chain is cut at the midnight after its second day: there it has events that are more than 24 hours old.
spans as (

    select
        event_id,
        session_key,
        actor_id,
        chain_number,
        event_date - mod(event_date - chain_date, 2) as session_date,
        event_date,
        occurred_at
    from chains

),

visits as (

    select
        event_id,
        session_key,
        actor_id,
        first_value(event_id) over (
            partition by session_key, chain_number, session_date order by occurred_at, event_id
        ) as session_id,
        session_date,
        event_date,
        occurred_at
    from spans

),

-- A server's event joins the visit in which its actor was seen in the 30 minutes before.
server_events as (

    select
        event_id,
        actor_id,
        event_date,
        occurred_at
    from followed_events
    where
        is_server
        and actor_id is not null
        and (
            event_date < {{ window_end() }}
            or occurred_at < {{ window_end_at() }} + interval '30' minute
            or actor_id in (select actors_of_next_day.actor_id from actors_of_next_day)
        )

),

actors_of_servers as (

    select distinct actor_id
    from server_events

),

seen_actors as (

    select
        actor_id,
        session_key,
        session_id,
        session_date,
        event_id,
        occurred_at
    from visits
    where actor_id in (select actors_of_servers.actor_id from actors_of_servers)
    union all
    select
        actor_id,
        session_key,
        session_id,
        session_date,
        event_id,
        occurred_at
    from day_before
    where
        event_source in ('web', 'mobile')
        and occurred_at > {{ window_start_at() }} - interval '30' minute
        and actor_id in (select actors_of_servers.actor_id from actors_of_servers)

),

actor_timeline as (

    select
        actor_id,
        session_key,
        session_id,
        session_date,
        event_id,
        cast(null as date) as event_date,
        occurred_at,
        0 as is_server
    from seen_actors
    union all
    select
        actor_id,
        cast(null as text) as session_key,
        cast(null as uuid) as session_id,
        cast(null as date) as session_date,
        event_id,
        event_date,
        occurred_at,
        1 as is_server
    from server_events

),

numbered_timeline as (

    select
        *,
        sum(1 - is_server) over (partition by actor_id order by occurred_at, is_server, event_id) as visit_number
    from actor_timeline

),

followed_timeline as (

    select
        event_id,
        event_date,
        occurred_at,
        is_server,
        first_value(session_key) over visit_order as session_key,
        first_value(session_id) over visit_order as session_id,
        first_value(session_date) over visit_order as session_date,
        first_value(occurred_at) over visit_order as seen_at
    from numbered_timeline
    where visit_number > 0
    window visit_order as (partition by actor_id, visit_number order by occurred_at, is_server, event_id)

),

joined_events as (

    select
        event_id,
        session_key,
        session_id,
        session_date,
        event_date,
        occurred_at
    from followed_timeline
    where
        is_server = 1
        and occurred_at - seen_at < interval '30' minute
        -- A session is over at the end of its second day.
        and event_date - session_date <= 1

),

session_events as (

    select
        event_id,
        session_key,
        session_id,
        session_date,
        event_date,
        occurred_at
    from visits
    where event_date >= {{ window_start() }}
    union all
    select * from joined_events

),

-- With what each of them carried of its origin.
attributed_events as (

    select
        session_events.*,
        attribution.channel as origin_channel,
        attribution.source as origin_source,
        attribution.medium as origin_medium,
        attribution.campaign as origin_campaign,
        attribution.utm_source as origin_utm_source
    from session_events
    left join attribution
        on
            session_events.event_id = attribution.event_id
            and session_events.event_date = attribution.event_date

),

-- The first event of a session that carries attribution says where the session came from.
origins as (

    select
        session_id,
        event_id,
        origin_channel,
        origin_source,
        origin_medium,
        origin_campaign,
        origin_utm_source,
        occurred_at
    from attributed_events
    where origin_channel is not null
    union all
    select
        session_id,
        event_id,
        origin_channel,
        origin_source,
        origin_medium,
        origin_campaign,
        origin_utm_source,
        occurred_at
    from day_before
    where
        session_date = event_date
        and origin_channel is not null

),

first_origins as (

    select
        session_id,
        {{ first_of('origin_channel', oldest_first) }} as origin_channel,
        {{ first_of('origin_source', oldest_first) }} as origin_source,
        {{ first_of('origin_medium', oldest_first) }} as origin_medium,
        {{ first_of('origin_campaign', oldest_first) }} as origin_campaign,
        -- The first origin's, also when that has none.
        nullif({{ first_of("coalesce(origin_utm_source, '')", oldest_first) }}, '') as origin_utm_source
    from origins
    group by session_id

),

-- An event of the night is written twice: for its own day, and as a tail of the session that began the day before.
copies as (

    select
        *,
        false as is_tail
    from attributed_events
    where event_date < {{ window_end() }}
    union all
    select
        *,
        true as is_tail
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
        coalesce(copies.is_tail, false) as is_tail,
        copies.session_date,
        copies.origin_channel,
        copies.origin_source,
        copies.origin_medium,
        copies.origin_campaign,
        copies.origin_utm_source,
        -- An event that names a license and nothing else gets the asset and the project that the license is for.
        events.license_id is not null and events.ip_asset_id is null and events.project_id is null as names_license_only
    from events
    left join copies
        on
            events.event_id = copies.event_id
            and events.event_date = copies.event_date
    where
        events.event_date < {{ window_end() }}
        -- Of the next day only what belongs to the last day's sessions.
        or copies.is_tail

),

described as (

    select
        placed.*,
        case
            when placed.is_tail then null
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
            and placed.names_license_only
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
    case
        when described.session_id is null then 'Unassigned'
        else coalesce(first_origins.origin_channel, 'Direct')
    end as channel,
    case
        when described.session_id is null then '(not set)'
        else coalesce(first_origins.origin_source, '(direct)')
    end as source,
    case
        when described.session_id is null then '(not set)'
        else coalesce(first_origins.origin_medium, '(none)')
    end as medium,
    case
        when described.session_id is null then '(not set)'
        else coalesce(first_origins.origin_campaign, '(not set)')
    end as campaign,
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
    described.names_license_only,
    described.is_tail,
    case when described.is_tail then described.session_date else described.event_date end as window_date,
    described.session_date,
    described.event_date,
    described.occurred_at
from described
left join first_origins
    on described.session_id = first_origins.session_id
