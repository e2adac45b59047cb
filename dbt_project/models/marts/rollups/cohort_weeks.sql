{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

touched as (

    select * from {{ ref('visitor_lifespans') }}

),

activity_before as (

    select * from {{ previously_published('visitor_lifespans') }}

),

days as (

    select * from {{ current_version('visitor_active_days') }}
    where {{ in_scope_or_full_rebuild('metric_date', 'week') }} and {{ is_in_whole_week('metric_date') }}

),

days_before as (

    select * from {{ previously_published('visitor_active_days') }}
    where {{ in_scope('metric_date', 'week') }}

),

days_of_other_weeks as (

    select * from {{ previously_published('visitor_active_days') }}
    where not {{ in_scope('metric_date', 'week') }}

),

counts_before as (

    select * from {{ previously_published('cohort_weeks') }}

),

counts_of_sealed_weeks as (

    select * from {{ published_weeks_not_whole('cohort_weeks', 'active_week') }}

),

-- Visitors who are there in the days that are built, or were so far. Nothing can have changed for others. Looked up one by
-- one, by an index: the published table is as long as history.
first_days as (

    select
        visitor_id,
        first_date,
        (
            select activity_before.first_date from activity_before
            where activity_before.visitor_id = touched.visitor_id
        ) as first_date_before
    from touched

),

cohorts as (

    select
        visitor_id,
        {{ monday_of('first_date') }} as cohort_week,
        {{ monday_of('first_date_before') }} as cohort_week_before
    from first_days

),

-- The weeks of the window, as they are and as they were.
weeks as (

    select distinct
        visitor_id,
        {{ monday_of('metric_date') }} as active_week,
        1 as visitors
    from days

    union all

    select distinct
        visitor_id,
        {{ monday_of('metric_date') }} as active_week,
        -1 as visitors
    from days_before

),

-- Visitors whose first week has changed: all their weeks count for another cohort.
moved as (

    select
        visitor_id,
        cohort_week,
        cohort_week_before,
        (
            select {{ collect_list('days_of_other_weeks.metric_date') }} from days_of_other_weeks
            where days_of_other_weeks.visitor_id = cohorts.visitor_id
        ) as other_days
    from cohorts
    where cohort_week <> cohort_week_before

),

moved_days as (

    select
        visitor_id,
        cohort_week,
        cohort_week_before,
        {{ unnest_list('other_days') }} as metric_date
    from moved

),

moved_weeks as (

    select distinct
        visitor_id,
        cohort_week,
        cohort_week_before,
        {{ monday_of('metric_date') }} as active_week
    from moved_days

),

changes as (

    select
        cohort_week,
        active_week,
        visitors
    from counts_before

    union all

    select
        cohort_week,
        active_week,
        visitors
    from counts_of_sealed_weeks

    union all

    select
        case when weeks.visitors > 0 then cohorts.cohort_week else cohorts.cohort_week_before end as cohort_week,
        weeks.active_week,
        weeks.visitors
    from weeks
    inner join cohorts
        on weeks.visitor_id = cohorts.visitor_id

    union all

    select
        cohort_week,
        active_week,
        1 as visitors
    from moved_weeks

    union all

    select
        cohort_week_before as cohort_week,
        active_week,
        -1 as visitors
    from moved_weeks

)

select
    periods.metric_date,
    changes.cohort_week,
    changes.active_week,
    cast(sum(changes.visitors) as bigint) as visitors
from changes
inner join periods
    on periods.period = 'all'
group by
    periods.metric_date,
    changes.cohort_week,
    changes.active_week
having sum(changes.visitors) <> 0
