with

creators as (

    select * from {{ source('marketplace', 'creators') }}

)

select
    id as creator_id,
    user_id,
    display_name,
    is_removed,
    created_at,
    {{ unless_infinite('deleted_at') }} as deleted_at,
    observed_date,
    change_id as version_number
from creators
