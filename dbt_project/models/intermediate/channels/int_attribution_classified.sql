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

clues as (

    select
        event_id,
        utm_source,
        utm_medium,
        utm_campaign,
        click_ids,
        referrer_host,
        landing_host,
        coalesce(utm_term, utm_content) is not null as has_utm_detail,
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
        click_ids,
        referrer_host,
        landing_host,
        has_utm_detail,
        event_date
    from clues
    group by
        utm_source,
        utm_medium,
        utm_campaign,
        click_ids,
        referrer_host,
        landing_host,
        has_utm_detail,
        event_date

),

-- The page's own host refers to itself, also from its pages for phones.
sites as (

    select
        *,
        case
            when {{ is_public_host('referrer_host') }}
                then nullif({{ site_name('referrer_host') }}, {{ site_name('landing_host') }})
        end as site
    from arrivals

),

-- A host is known by itself or by up to two of the domains above it. Of several click ids the first by the seed counts.
recognised as (

    select
        sites.*,
        coalesce(own.source, parent.source, grandparent.source) as known_source,
        coalesce(own.kind, parent.kind, grandparent.kind) as known_kind,
        clicked.source as clicked_source,
        clicked.medium as clicked_medium
    from sites
    left join known_referrers as own
        on sites.site = own.host
    left join known_referrers as parent
        on {{ parent_host('sites.site', 1) }} = parent.host
    left join known_referrers as grandparent
        on {{ parent_host('sites.site', 2) }} = grandparent.host
    left join meanings as clicked
        on
            clicked.priority = (
                select min(meanings.priority)
                from meanings
                where position(',' || meanings.click_id || ',' in sites.click_ids) > 0
            )

),

-- The marketplace's own pages refer to each other, and a payment provider sends back who was here before: navigation.
referred as (

    select
        *,
        case
            {% for host in var('own_hosts') -%}
                when site = '{{ host }}' or site like '%.{{ host }}' then null
            {% endfor -%}
            when known_kind = 'payment' then null
            else coalesce(known_source, site)
        end as referring_host,
        coalesce(utm_source, utm_medium, utm_campaign) is not null as is_tagged
    from recognised

),

-- What the producer says wins over what a paid click id says, and that over what the browser says. A tag that leaves a part
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
