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

-- The page's own host refers to itself. Facebook gives its click id to every link that leaves it: that tells where a visit
-- came from, and nothing of payment.
clues as (

    select
        event_id,
        utm_source,
        utm_medium,
        utm_campaign,
        case
            when gclid is not null then 'google'
            when msclkid is not null then 'bing'
            when ttclid is not null then 'tiktok'
        end as clicked_source,
        nullif(referrer_host, landing_host) as referrer_host,
        coalesce(utm_term, utm_content) is not null as has_utm_detail,
        fbclid is not null as has_fbclid,
        event_date
    from attribution

),

-- Events with the same clues are classified once: a day has thousands of events and few ways to come. In one pass, without
-- a join back, so that a condition on the day reaches the partitions.
arrivals as (

    select
        {{ list_of('event_id') }} as event_ids,
        utm_source,
        utm_medium,
        utm_campaign,
        clicked_source,
        referrer_host,
        has_utm_detail,
        has_fbclid,
        event_date
    from clues
    group by
        utm_source,
        utm_medium,
        utm_campaign,
        clicked_source,
        referrer_host,
        has_utm_detail,
        has_fbclid,
        event_date

),

-- A host is known by itself or by up to two of the domains above it.
recognised as (

    select
        arrivals.*,
        coalesce(own.source, parent.source, grandparent.source) as known_source,
        coalesce(own.kind, parent.kind, grandparent.kind) as known_kind
    from arrivals
    left join known_referrers as own
        on arrivals.referrer_host = own.host
    left join known_referrers as parent
        on {{ parent_host('arrivals.referrer_host', 1) }} = parent.host
    left join known_referrers as grandparent
        on {{ parent_host('arrivals.referrer_host', 2) }} = grandparent.host

),

-- The marketplace's own pages refer to each other, and a payment provider sends back who was here before: navigation.
referred as (

    select
        *,
        case
            {% for host in var('own_hosts') -%}
                when referrer_host = '{{ host }}' or referrer_host like '%.{{ host }}' then null
            {% endfor -%}
            when known_kind = 'payment' then null
            else coalesce(known_source, referrer_host)
        end as referring_host,
        coalesce(utm_source, utm_medium, utm_campaign) is not null as is_tagged
    from recognised

),

-- What the producer says wins over what the click id says, and that over what the browser says. A tag that leaves a part
-- open is not filled from the browser, which may speak of another visit.
named as (

    select
        event_ids,
        coalesce(
            utm_source,
            clicked_source,
            case
                when not is_tagged and referring_host is not null then referring_host
                when not is_tagged and has_fbclid then 'facebook'
            end,
            '(not set)'
        ) as source,
        coalesce(
            utm_medium,
            case
                when clicked_source is not null then 'cpc'
                when is_tagged then null
                when referring_host is not null and known_kind = 'search' then 'organic'
                when referring_host is not null and known_kind = 'ai_assistant' then 'ai-assistant'
                when referring_host is not null or has_fbclid then 'referral'
            end,
            '(not set)'
        ) as medium,
        coalesce(utm_campaign, '(not set)') as campaign,
        utm_source,
        event_date
    from referred
    where is_tagged or has_utm_detail or has_fbclid or coalesce(clicked_source, referring_host) is not null

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
    {{ each_of('ruled.event_ids') }} as event_id,
    channel_rules.channel,
    ruled.source,
    ruled.medium,
    ruled.campaign,
    ruled.utm_source,
    ruled.event_date
from ruled
left join channel_rules
    on ruled.priority = channel_rules.priority
