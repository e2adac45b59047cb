{{ config(materialized='view') }}

with

attribution as (

    select * from {{ ref('stg_tracking__attribution') }}

),

known_referrers as (

    select * from {{ ref('known_referrers') }}

),

-- The marketplace's own pages refer to each other; that is navigation.
external as (

    select
        *,
        case
            when referrer_host is null or referrer_host = landing_host then null
            {% for host in var('own_hosts') -%}
                when referrer_host = '{{ host }}' or referrer_host like '%.{{ host }}' then null
            {% endfor -%}
            else referrer_host
        end as external_host
    from attribution

),

-- A host is known by itself or by up to two of the domains above it.
recognised as (

    select
        external.*,
        coalesce(own.source, parent.source, grandparent.source) as known_source,
        coalesce(own.kind, parent.kind, grandparent.kind) as known_kind
    from external
    left join known_referrers as own
        on external.external_host = own.host
    left join known_referrers as parent
        on {{ parent_host('external.external_host', 1) }} = parent.host
    left join known_referrers as grandparent
        on {{ parent_host('external.external_host', 2) }} = grandparent.host

),

-- Facebook gives its click id to every link that leaves it: it tells where a visit came from, and nothing of payment.
click_ids as (

    select
        *,
        case
            when gclid is not null then 'google'
            when msclkid is not null then 'bing'
            when ttclid is not null then 'tiktok'
        end as clicked_source,
        coalesce(
            known_source,
            external_host,
            case when fbclid is not null then 'facebook' end
        ) as referring_source
    from recognised

),

-- What the producer says wins over what the click id says, and that over what the browser says.
sourced as (

    select
        event_id,
        event_date,
        coalesce(utm_source, clicked_source, referring_source) as source,
        coalesce(
            utm_medium,
            case when clicked_source is not null then 'cpc' end,
            case
                when utm_source is null and known_kind = 'search' then 'organic'
                when utm_source is null and referring_source is not null then 'referral'
            end
        ) as medium,
        utm_campaign as campaign,
        coalesce(
            utm_source, utm_medium, utm_campaign, utm_term, utm_content, clicked_source, referring_source
        ) is not null as has_origin
    from click_ids

),

kinds as (

    select
        source,
        min(kind) as kind
    from known_referrers
    group by source

),

hosts as (

    select
        host as source,
        kind
    from known_referrers

),

named as (

    select
        sourced.event_id,
        sourced.event_date,
        coalesce(sourced.source, '(not set)') as source,
        coalesce(sourced.medium, '(not set)') as medium,
        coalesce(sourced.campaign, '(not set)') as campaign,
        coalesce(kinds.kind, hosts.kind) as source_kind
    from sourced
    left join kinds
        on sourced.source = kinds.source
    left join hosts
        on sourced.source = hosts.source
    where sourced.has_origin

)

select
    event_id,
    {{ channel_group('source', 'medium', 'campaign', 'source_kind') }} as channel,
    source,
    medium,
    campaign,
    event_date
from named
