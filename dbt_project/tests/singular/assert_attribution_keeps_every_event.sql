{{ config(meta={'dagster': {'ref': {'name': 'int_events_attributed'}}}) }}
-- A failing row is a day on which the attributed events are more or fewer than the events: a join has lost or multiplied.
with

events as (

    select * from {{ ref('stg_tracking__events') }}
    where {{ in_window('event_date') }}

),

attributed as (

    select * from {{ ref('int_events_attributed') }}
    where {{ in_window('event_date') }}

),

expected as (

    select
        event_date,
        count(*) as events
    from events
    group by event_date

),

actual as (

    select
        event_date,
        count(*) as events
    from attributed
    group by event_date

)

select
    coalesce(expected.event_date, actual.event_date) as event_date,
    expected.events as expected_events,
    actual.events as actual_events
from expected
full outer join actual
    on expected.event_date = actual.event_date
where expected.events is distinct from actual.events
