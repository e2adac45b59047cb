{{ config(event_time='metric_date', pre_hook="{{ disable_nested_loops() }}") }}

with

events as (

    select * from {{ ref('int_events_attributed') }}
    where {{ in_window('event_date') }}

),

-- Every asset that an event of the day names, with all of its owners.
owned as (

    select * from {{ ref('creator_asset_days') }}
    where {{ in_window('metric_date') }}

),

visits as (

    select
        event_date as metric_date,
        ip_asset_id,
        session_id,
        coalesce(utm_source, 'direct') as utm_source,
        sum(case when is_conversion then 1 else 0 end) as conversions
    from events
    where
        not is_bot
        and ip_asset_id is not null
    group by
        event_date,
        ip_asset_id,
        session_id,
        coalesce(utm_source, 'direct')

)

select
    visits.metric_date,
    owned.creator_id,
    visits.utm_source,
    count(distinct visits.session_id) as visits,
    cast(sum(visits.conversions) as bigint) as conversions
from visits
inner join owned
    on
        visits.metric_date = owned.metric_date
        and visits.ip_asset_id = owned.ip_asset_id
group by
    visits.metric_date,
    owned.creator_id,
    visits.utm_source
-- An event without a session is no visit.
having count(distinct visits.session_id) > 0 or sum(visits.conversions) > 0
