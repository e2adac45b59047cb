{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}
    where period = 'today'

),

creators as (

    select * from {{ ref('stg_marketplace__creators') }}

)

select
    periods.metric_date,
    creators.creator_id,
    creators.display_name,
    {{ utc_date(unless_infinite('creators.created_at')) }} as created_date,
    {{ utc_date('creators.deleted_at') }} as deleted_date,
    creators.is_deleted
from creators
cross join periods
