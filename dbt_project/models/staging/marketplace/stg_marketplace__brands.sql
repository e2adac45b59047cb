with

brands as (

    select * from {{ source('marketplace', 'brands') }}

)

select
    id as brand_id,
    user_id,
    company_name,
    is_removed,
    created_at,
    {{ unless_infinite('deleted_at') }} as deleted_at,
    observed_date,
    change_id as version_number
from brands
