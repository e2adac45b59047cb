with

attribution as (

    select * from {{ source('tracking', 'attribution') }}

)

select
    event_id,
    utm_source_normalized as utm_source,
    utm_medium_normalized as utm_medium,
    utm_campaign_normalized as utm_campaign,
    utm_term,
    utm_content,
    {{ carried_click_ids() }} as click_ids,
    nullif(referrer, '') as referrer,
    nullif(landing_page, '') as landing_page,
    {{ referrer_host('referrer') }} as referrer_host,
    {{ url_host('landing_page') }} as landing_host,
    event_date
from attribution
