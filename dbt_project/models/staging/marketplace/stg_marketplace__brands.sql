with

latest as (

    {{ latest_version(source('marketplace', 'brands')) }}

)

select
    id as brand_id,
    user_id,
    company_name,
    is_removed or {{ unless_infinite('deleted_at') }} is not null as is_deleted,
    created_at,
    {{ unless_infinite('deleted_at') }} as deleted_at
from latest
