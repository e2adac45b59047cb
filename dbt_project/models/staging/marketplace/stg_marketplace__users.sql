with

latest as (

    {{ latest_version(source('marketplace', 'users')) }}

)

select
    id as user_id,
    email_hash,
    role as user_role,
    is_removed or {{ unless_infinite('deleted_at') }} is not null as is_deleted,
    created_at,
    {{ unless_infinite('deleted_at') }} as deleted_at
from latest
