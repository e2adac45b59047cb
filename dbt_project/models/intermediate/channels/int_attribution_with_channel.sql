{{ config(materialized='view') }}

with

attribution as (

    select * from {{ ref('stg_tracking__attribution') }}

),

known_referrers as (

    select * from {{ ref('known_referrers') }}

),

channel_rules as (

    select * from {{ ref('channel_rules') }}

),

meanings as (

    select * from {{ ref('click_ids') }}

),

{{ attribution_referrers() }},

-- Tags of the producer win over paid click ids, and these over the browser's referrer. A tag that leaves a part
-- open is not filled from the browser, which may speak of another visit. A click id without a medium proves nothing paid:
-- it tells where a visit came from, where nothing else does.
named as (

    select
        event_ids,
        coalesce(
            utm_source,
            case when clicked_medium is not null then clicked_source end,
            case when not is_tagged then coalesce(referring_host, clicked_source) end,
            {{ channel_fallback('no_tag', 'source') }}
        ) as source,
        coalesce(
            utm_medium,
            clicked_medium,
            case
                when is_tagged then null
                when referring_host is not null and known_kind = 'search' then 'organic'
                when referring_host is not null and known_kind = 'ai_assistant' then 'ai-assistant'
                when coalesce(referring_host, clicked_source) is not null then 'referral'
            end,
            {{ channel_fallback('no_tag', 'medium') }}
        ) as medium,
        coalesce(utm_campaign, {{ channel_fallback('no_tag', 'campaign') }}) as campaign,
        utm_source,
        event_date
    from referred
    where is_tagged or has_utm_detail or coalesce(clicked_source, referring_host) is not null

),

kinds as (

    {{ kinds_of_sources() }}

),

ruled as (

    select
        named.*,
        {{ channel_rule('kinds.kind', 'named.source', 'named.medium', 'named.campaign') }} as priority
    from named
    left join kinds
        on named.source = kinds.source

)

select
    {{ unnest_list('ruled.event_ids') }} as event_id,
    channel_rules.channel,
    ruled.source,
    ruled.medium,
    ruled.campaign,
    ruled.utm_source,
    ruled.event_date
from ruled
left join channel_rules
    on ruled.priority = channel_rules.priority
