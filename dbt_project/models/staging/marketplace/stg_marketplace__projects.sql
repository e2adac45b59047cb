with

projects as (

    select * from {{ source('marketplace', 'projects') }}

)

select
    id as project_id,
    brand_id,
    name as project_name,
    budget_cents,
    is_removed,
    created_at,
    observed_date,
    change_id as version_number
from projects
