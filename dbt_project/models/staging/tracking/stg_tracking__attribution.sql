with

attribution as (

    select * from {{ source('tracking', 'attribution') }}

)

select
    event_id,
    nullif(lower(trim(utm_source)), '') as utm_source,
    nullif(lower(trim(utm_medium)), '') as utm_medium,
    nullif(trim(utm_campaign), '') as utm_campaign,
    nullif(trim(utm_term), '') as utm_term,
    nullif(trim(utm_content), '') as utm_content,
    nullif(gclid, '') as gclid,
    nullif(fbclid, '') as fbclid,
    nullif(msclkid, '') as msclkid,
    nullif(ttclid, '') as ttclid,
    nullif(referrer, '') as referrer,
    nullif(landing_page, '') as landing_page,
    {{ url_host('referrer') }} as referrer_host,
    {{ url_host('landing_page') }} as landing_host,
    event_date
from attribution
