with

ad_spend as (

    select * from {{ source('marketing', 'ad_spend') }}

)

select
    channel,
    utm_source,
    utm_medium,
    utm_campaign,
    cost_cents,
    impressions,
    clicks,
    spend_date
from ad_spend
