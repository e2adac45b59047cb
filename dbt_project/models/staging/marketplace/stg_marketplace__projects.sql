with

latest as (

    {{ latest_version(source('marketplace', 'projects')) }}

)

select
    id as project_id,
    brand_id,
    name as project_name,
    budget_cents,
    is_removed as is_deleted,
    created_at
from latest
