{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}
    where period = 'today'

),

projects as (

    select * from {{ ref('stg_marketplace__projects') }}

)

select
    periods.metric_date,
    projects.project_id,
    projects.project_name,
    projects.brand_id,
    projects.budget_cents,
    {{ utc_date(unless_infinite('projects.created_at')) }} as created_date,
    projects.is_deleted
from projects
cross join periods
