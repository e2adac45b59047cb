with

ad_spend as (

    select * from {{ source('marketing', 'ad_spend') }}

)

-- Rows of one day and its names, such as ad groups, are of one file.
select
    channel,
    utm_source_normalized as utm_source,
    utm_medium_normalized as utm_medium,
    utm_campaign_normalized as utm_campaign,
    cast(sum(cost_cents) as bigint) as cost_cents,
    cast(sum(impressions) as bigint) as impressions,
    cast(sum(clicks) as bigint) as clicks,
    spend_date
from ad_spend
group by
    channel,
    utm_source_normalized,
    utm_medium_normalized,
    utm_campaign_normalized,
    spend_date
