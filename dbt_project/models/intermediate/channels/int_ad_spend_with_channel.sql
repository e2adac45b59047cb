{{ config(materialized='view') }}

with

ad_spend as (

    select * from {{ ref('stg_marketing__ad_spend') }}

),

known_referrers as (

    select * from {{ ref('known_referrers') }}

),

channel_rules as (

    select * from {{ ref('channel_rules') }}

),

kinds as (

    {{ kinds_of_sources() }}

),

-- Called as a visit with these tags is.
named as (

    select
        channel as named_channel,
        coalesce(utm_source, utm_medium, utm_campaign) is not null as is_tagged,
        coalesce(utm_source, {{ channel_fallback('no_tag', 'source') }}) as source,
        coalesce(utm_medium, {{ channel_fallback('no_tag', 'medium') }}) as medium,
        coalesce(utm_campaign, {{ channel_fallback('no_tag', 'campaign') }}) as campaign,
        cost_cents,
        impressions,
        clicks,
        spend_date
    from ad_spend

),

ruled as (

    select
        named.*,
        {{ channel_rule('kinds.kind', 'named.source', 'named.medium', 'named.campaign') }} as priority
    from named
    left join kinds
        on named.source = kinds.source

)

-- The visits that the money bought have the channel of their tags, whatever the row calls it; otherwise spend and credit
-- would not meet. Where tags are missing or decide nothing, the row's own word counts.
select
    ruled.named_channel,
    case
        when ruled.is_tagged and channel_rules.channel <> {{ channel_fallback('no_tag', 'channel') }} then channel_rules.channel
        else coalesce(ruled.named_channel, {{ channel_fallback('no_tag', 'channel') }})
    end as channel,
    ruled.source,
    ruled.medium,
    ruled.campaign,
    ruled.cost_cents,
    ruled.impressions,
    ruled.clicks,
    ruled.spend_date
from ruled
left join channel_rules
    on ruled.priority = channel_rules.priority
