{{ config(event_time='metric_date') }}

{%- set unit = '0.000000000001' %}
{%- set units = 1000000000000 %}

with

paths as (

    select * from {{ ref('int_conversion_paths') }}
    where {{ in_window('conversion_date') }}

),

channel_values as (

    select * from {{ source('attribution', 'attribution_channel_values') }}
    where week_start > {{ window_start() }} - 7 and week_start < {{ window_end() }}

),

models as (

    {{ attribution_models() }}

),

touches as (

    select
        *,
        {{ monday_of('conversion_date') }} as week_start,
        max(case when channel <> 'Direct' then touch_number end) over path as last_non_direct,
        max(touched_at) over path as last_touched_at
    from paths
    window path as (partition by conversion_date, conversion_id)

),

-- The share of a touch in proportion to the others of its path. A conversion without a touch has one row of its own.
shares as (

    select
        touches.*,
        models.model,
        case
            when touches.touches = 0 then 1
            when models.model = 'first_touch' then case when touches.touch_number = 1 then 1 else 0 end
            when models.model = 'last_touch' then case when touches.touch_number = touches.touches then 1 else 0 end
            when models.model = 'last_non_direct'
                then case when touches.touch_number = coalesce(touches.last_non_direct, touches.touches) then 1 else 0 end
            when models.model = 'linear' then 1
            -- Of three and more the ends get 2/5 each, and those between 1/5 together.
            when models.model = 'position_based'
                then
                    case
                        when touches.touches > 2 and touches.touch_number in (1, touches.touches)
                            then 2 * (touches.touches - 2)
                        else 1
                    end
            when models.model = 'time_decay'
                then
                    {{ half_life_decay(
                        var('attribution_half_life_days') * 86400,
                        seconds_between('touches.touched_at', 'touches.last_touched_at')
                    ) }}
            else coalesce(channel_values.value, 0)
        end as share
    from touches
    cross join models
    left join channel_values
        on
            touches.week_start = channel_values.week_start
            and models.model = channel_values.model
            and touches.channel = channel_values.channel

),

-- A path whose channels are all worth nothing, or of a week without a fit, is divided equally.
exact_weights as (

    select
        *,
        case
            when sum(share) over path = 0 then cast({{ units }} as numeric(38, 24)) / touches
            else cast(share as numeric(38, 24)) / sum(share) over path * {{ units }}
        end as exact_units
    from shares
    window path as (partition by conversion_date, conversion_id, model)

),

-- Weights of a path add up to exactly 1, and credited cents to exactly its cents. A touch that gets nothing earned nothing.
weights as (

    select
        *,
        {{ largest_remainder(
            'exact_units', units, 'conversion_date, conversion_id, model', 'touched_at asc, session_id asc'
        ) }} as weight_units
    from exact_weights
    where exact_units > 0

),

exact_cents as (

    select
        *,
        weight_units * value_cents * {{ unit }} as exact_cents
    from weights
    where weight_units > 0

),

credits as (

    select
        *,
        {{ largest_remainder(
            'exact_cents', 'value_cents', 'conversion_date, conversion_id, model', 'touched_at asc, session_id asc'
        ) }} as credited_cents
    from exact_cents

)

select
    conversion_id,
    model,
    session_id,
    project_id,
    ip_asset_id,
    license_id,
    coalesce(channel, {{ channel_fallback('no_touch', 'channel') }}) as channel,
    coalesce(source, {{ channel_fallback('no_touch', 'source') }}) as source,
    coalesce(medium, {{ channel_fallback('no_touch', 'medium') }}) as medium,
    coalesce(campaign, {{ channel_fallback('no_touch', 'campaign') }}) as campaign,
    touch_number,
    touches,
    cast(weight_units * {{ unit }} as numeric(20, 12)) as weight,
    cast(credited_cents as bigint) as credited_cents,
    value_cents as conversion_cents,
    touched_at,
    converted_at,
    conversion_date as metric_date
from credits
