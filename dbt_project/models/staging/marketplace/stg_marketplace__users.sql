with

users as (

    select * from {{ source('marketplace', 'users') }}

)

select
    id as user_id,
    email_hash,
    role as user_role,
    is_removed,
    created_at,
    {{ unless_infinite('deleted_at') }} as deleted_at,
    observed_date,
    change_id as version_number
from users
