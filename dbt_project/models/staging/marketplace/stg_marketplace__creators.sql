with

latest as (

    {{ latest_version(source('marketplace', 'creators')) }}

)

select
    id as creator_id,
    user_id,
    display_name,
    is_removed or {{ unless_infinite('deleted_at') }} is not null as is_deleted,
    created_at,
    {{ unless_infinite('deleted_at') }} as deleted_at
from latest
