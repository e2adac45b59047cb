{# CTE referred: the ways in which events of a day arrived, each once, with the host that referred and the meaning of click ids.
   Reads the CTEs attribution, known_referrers and meanings (the seed click_ids). #}
{% macro attribution_referrers() -%}
-- Events with the same clues are classified once: a day has thousands of events and few ways to come. In one pass, without
-- a join back, so that a condition on the day reaches the partitions.
arrivals as (

    select
        {{ collect_list('event_id') }} as event_ids,
        utm_source,
        utm_medium,
        utm_campaign,
        click_ids,
        referrer_host,
        landing_host,
        coalesce(utm_term, utm_content) is not null as has_utm_detail,
        event_date
    from attribution
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

-- The marketplace's own pages refer to each other, and a payment provider sends visitors back: navigation.
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

)
{%- endmacro %}
