"""The SQL function `ops.conversion_credits`: a conversion divided among its touches, by every attribution model.

It shares nothing with the dbt model that publishes the credits, which it is compared with.
"""

from typing import Final

from psycopg import sql

# How each model divides a conversion, in words; in the order of an answer.
MODELS: Final = {
    "first_touch": "all to the first touch",
    "last_touch": "all to the last touch",
    "last_non_direct": "all to the last touch that is not Direct; to the last one when all are",
    "linear": "equal parts",
    "position_based": "40 % to the first and to the last touch, 20 % to those between; halves for two",
    "time_decay": "half the part of a touch that is {half_life_days} days later",
    "markov": "in proportion to the value of the touch's channel in the week's fit (removal effect)",
    "shapley": "in proportion to the value of the touch's channel in the week's fit (Shapley value)",
}

# Weights are counted in units of 10^-12. What floor leaves over goes by largest fraction, then touched_at and session.
_FUNCTION: Final = """
create or replace function ops.conversion_credits(conversion_date date, conversion_id uuid) returns table (
    model text, touch_number bigint, session_id uuid, channel text, touched_at timestamptz, touches bigint,
    channel_value numeric, weight numeric(20, 12), credited_cents bigint, conversion_cents bigint
) language plpgsql stable as $function$
#variable_conflict use_column
begin
    return query
    with
    path as (
        select *, max(touch_number) filter (where channel <> 'Direct') over () as last_non_direct,
            max(touched_at) over () as last_touched_at
        from intermediate.int_conversion_paths as paths
        where paths.conversion_date = conversion_credits.conversion_date
            and paths.conversion_id = conversion_credits.conversion_id
    ),
    shares as (
        select path.*, models.model, fitted.value as channel_value, cast(
            case
                when path.touches = 0 then 1
                when models.model = 'first_touch' then (path.touch_number = 1)::integer
                when models.model = 'last_touch' then (path.touch_number = path.touches)::integer
                when models.model = 'last_non_direct'
                    then (path.touch_number = coalesce(path.last_non_direct, path.touches))::integer
                when models.model = 'position_based' and path.touches > 2
                    and path.touch_number in (1, path.touches) then 2 * (path.touches - 2)
                when models.model in ('linear', 'position_based') then 1
                when models.model = 'time_decay' then power(0.5::double precision, least(
                    extract(epoch from path.last_touched_at - path.touched_at)::double precision
                        / ({half_life_days} * 86400), 1000
                ))
                else coalesce(fitted.value, 0)
            end as numeric(38, 24)
        ) as share
        from path
        cross join unnest({models}::text[]) as models (model)
        left join intermediate.attribution_channel_values as fitted
            on fitted.week_start = date_trunc('week', path.conversion_date::timestamp)::date
                and fitted.model = models.model and fitted.channel = path.channel
    ),
    exact as (
        select *, case
            when sum(share) over of_model = 0 then cast(10::numeric ^ 12 as numeric(38, 24)) / touches
            else share / sum(share) over of_model * 1000000000000
        end as units
        from shares
        window of_model as (partition by model)
    ),
    weighted as (
        select *, floor(units) + (
            row_number() over (partition by model order by units - floor(units) desc, touched_at, session_id)
            <= 1000000000000 - sum(floor(units)) over (partition by model)
        )::integer as whole_units
        from exact
    ),
    priced as (
        select *, whole_units * value_cents * 0.000000000001 as cents from weighted
    ),
    credited as (
        select *, floor(cents) + (
            row_number() over (partition by model order by cents - floor(cents) desc, touched_at, session_id)
            <= value_cents - sum(floor(cents)) over (partition by model)
        )::integer as whole_cents
        from priced
    )
    select credited.model, credited.touch_number, credited.session_id, credited.channel, credited.touched_at,
        credited.touches, credited.channel_value, cast(whole_units * 0.000000000001 as numeric(20, 12)),
        cast(whole_cents as bigint), credited.value_cents
    from credited;
end
$function$;
comment on function ops.conversion_credits is
    'A conversion divided anew among the touches of its path, by every attribution model.';
"""


def division_function(*, half_life_days: int) -> sql.Composed:
    """Return the statement that creates the function."""
    return sql.SQL(_FUNCTION).format(
        half_life_days=sql.Literal(half_life_days),
        models=sql.Literal(list(MODELS)),
    )
