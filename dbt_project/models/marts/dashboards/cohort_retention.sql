{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

cohort_weeks as (

    select * from {{ ref('cohort_weeks') }}

),

days as (

    select * from {{ current_version('published_days') }}

),

ends as (

    select
        periods.metric_date,
        {{ monday_of('min(days.metric_date)') }} as first_week,
        {{ monday_of('periods.metric_date') }} as last_week
    from periods
    cross join days
    where periods.period = 'all'
    group by periods.metric_date

),

cohorts as (

    select
        metric_date,
        {{ each_week('first_week', 'last_week') }} as cohort_week,
        last_week
    from ends

),

weeks as (

    select
        metric_date,
        cohort_week,
        {{ each_week('cohort_week', 'last_week') }} as active_week
    from cohorts

),

counts as (

    select
        weeks.metric_date,
        weeks.cohort_week,
        weeks.active_week,
        coalesce(cohort_weeks.visitors, 0) as visitors
    from weeks
    left join cohort_weeks
        on
            weeks.cohort_week = cohort_weeks.cohort_week
            and weeks.active_week = cohort_weeks.active_week

),

-- Every visitor of a cohort is there in the first week.
with_first_weeks as (

    select
        *,
        first_value(visitors) over (partition by cohort_week order by active_week) as cohort_visitors
    from counts

)

select
    metric_date,
    cohort_week,
    cast((active_week - cohort_week) / 7 as integer) as week_number,
    cohort_visitors,
    visitors,
    {{ percentage('visitors', 'cohort_visitors') }} as retention_rate
from with_first_weeks
