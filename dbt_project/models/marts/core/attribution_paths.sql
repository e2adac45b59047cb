{{ config(event_time='metric_date') }}

with

touches as (

    select * from {{ ref('int_conversion_paths') }}
    where {{ in_window('conversion_date') }}

),

conversions as (

    select
        conversion_id,
        conversion_date,
        visitor_id,
        coalesce({{ ordered_text_list('channel', ' > ', 'touch_number') }}, {{ channel_fallback('no_touch', 'channel') }}) as path,
        touches as path_length,
        value_cents,
        {{ seconds_between('min(touched_at)', 'converted_at') }} as seconds_to_convert
    from touches
    group by
        conversion_id,
        conversion_date,
        visitor_id,
        touches,
        value_cents,
        converted_at

)

select
    conversion_date as metric_date,
    md5(path) as path_id,
    path,
    max(path_length) as path_length,
    count(*) as conversions,
    count(distinct visitor_id) as unique_visitors,
    cast(sum(value_cents) as bigint) as revenue_cents,
    cast(sum(seconds_to_convert) / (86400 * count(*)) as numeric(20, 4)) as avg_days_to_convert
from conversions
group by
    conversion_date,
    path
