"""The SQL function `ops.explain_conversion`: touches, the rules of their channels, weights by model, source events."""

from typing import Final

from psycopg import sql

from publishing.explain.division_function import MODELS, division_function

# The rules are rows of seed channel_rules, evaluated as macro channel_rule does.
_TOUCHES_FUNCTION: Final = """
create or replace function ops.conversion_touches(conversion_date date, conversion_id uuid) returns table (
    touch_number bigint, touched_at timestamptz, session_id uuid, channel text, source text, medium text,
    campaign text, rule jsonb, origin_event_id uuid, origin_event_date date
) language plpgsql stable as $function$
#variable_conflict use_column
begin
    return query
    with
    path as (
        select paths.*, (paths.touched_at at time zone 'UTC')::date as session_date
        from intermediate.int_conversion_paths as paths
        where paths.conversion_date = conversion_touches.conversion_date
            and paths.conversion_id = conversion_touches.conversion_id and paths.touches > 0
    ),
    -- The first event of a session that carries attribution says where the session came from.
    origins as (
        select distinct on (events.session_id) events.session_id, events.event_id, events.event_date
        from intermediate.int_events_sessionized as events
        where events.written_with_date = any(array(select session_date from path))
            and events.session_date = events.written_with_date
            and events.session_id = any(array(select session_id from path))
            and events.origin_channel is not null
        order by events.session_id, events.occurred_at, events.event_id
    ),
    kinds as (
        select path.session_id, min(names.kind) as kind
        from path
        inner join (
            select source, kind from staging.known_referrers
            union all
            select host, kind from staging.known_referrers
        ) as names on names.source = path.source
        group by path.session_id
    )
    select path.touch_number, path.touched_at, path.session_id, path.channel, path.source, path.medium, path.campaign,
        rule.rule, origins.event_id, origins.event_date
    from path
    left join origins on origins.session_id = path.session_id
    left join kinds on kinds.session_id = path.session_id
    left join lateral (
        select to_jsonb(rules) as rule
        from staging.channel_rules as rules
        where (rules.source_kind is null or rules.source_kind = kinds.kind)
            and (rules.medium_pattern is null or path.medium ~* rules.medium_pattern)
            and (rules.source_pattern is null or path.source ~* rules.source_pattern)
            and (rules.campaign_pattern is null or path.campaign ~* rules.campaign_pattern)
        order by rules.priority
        limit 1
    ) as rule on true;
end
$function$;
comment on function ops.conversion_touches is
    'The touches of a conversion, each with the row of seed channel_rules that chose its channel.';
"""

_FUNCTION: Final = """
create or replace function ops.explain_conversion(
    conversion_id uuid, conversion_date date default null, show_ids boolean default false
) returns jsonb language plpgsql stable set timezone = 'UTC' as $function$
#variable_conflict use_column
declare
    days date[];
    day date;
    conversion jsonb;
    touches jsonb;
    models jsonb;
    loads jsonb;
begin
    select array_agg(distinct credits.metric_date order by credits.metric_date) into days
    from marts.attribution_credits as credits
    where credits.conversion_id = explain_conversion.conversion_id
        and credits.metric_date = coalesce(explain_conversion.conversion_date, credits.metric_date);
    if days is null then
        raise no_data_found using message = format(
            'no published conversion has the id %s%s: it is the event_id of a conversion in raw.events; days that are'
            ' not published are in ops.stale_days',
            explain_conversion.conversion_id, ' on ' || explain_conversion.conversion_date
        );
    elsif cardinality(days) > 1 then
        raise invalid_parameter_value using message = format(
            'conversion %s occurs on several days: give one of %s', explain_conversion.conversion_id,
            array_to_string(days, ', ')
        );
    end if;
    day := days[1];
    select jsonb_strip_nulls(jsonb_build_object(
        'conversion_id', paths.conversion_id, 'day', paths.conversion_date, 'converted_at', paths.converted_at,
        'value_cents', paths.value_cents, 'project_id', paths.project_id, 'ip_asset_id', paths.ip_asset_id,
        'license_id', paths.license_id, 'visitor_id', case when show_ids then paths.visitor_id end
    )) into conversion
    from intermediate.int_conversion_paths as paths
    where paths.conversion_date = day and paths.conversion_id = explain_conversion.conversion_id
    limit 1;
    if conversion is null then
        raise no_data_found using message = case
            when day < ops.sealed_before() then format(
                '%s is sealed, and the path of conversion %s was dropped; its published credits stay in'
                ' marts.attribution_credits', day, explain_conversion.conversion_id
            )
            else format(
                'the last build of %s has no conversion %s any more: its events have changed since publication, and'
                ' the day is run again (ops.stale_days)', day, explain_conversion.conversion_id
            )
        end;
    end if;
    -- Events by their ids: the conversion, and of each touch the first event and the one that carries attribution.
    with
    touched as materialized (select * from ops.conversion_touches(day, explain_conversion.conversion_id)),
    wanted as (
        select explain_conversion.conversion_id as event_id, day as event_date
        union
        select session_id, (touched_at at time zone 'UTC')::date from touched
        union
        select origin_event_id, origin_event_date from touched where origin_event_id is not null
    ),
    found as materialized (
        select events.*
        from ops.source_events(array(select event_date from wanted), array(select event_id from wanted)) as events
        where (events.event_id, events.event_date) in (select event_id, event_date from wanted)
    ),
    described as (
        select touched.*, jsonb_build_object(
            'touch_number', touch_number, 'touched_at', touched_at, 'session_id', touched.session_id,
            'channel', channel, 'source', source, 'medium', medium, 'campaign', campaign, 'rule', rule,
            'first_event', to_jsonb(entry) - 'carried', 'origin_event', to_jsonb(origin)
        ) as touch
        from touched
        left join found as entry
            on entry.event_id = touched.session_id
                and entry.event_date = (touched.touched_at at time zone 'UTC')::date
        left join found as origin
            on origin.event_id = touched.origin_event_id and origin.event_date = touched.origin_event_date
    )
    select
        conversion || coalesce((
            select jsonb_build_object('event', to_jsonb(found) - 'carried') from found
            where event_id = explain_conversion.conversion_id and event_date = day
        ), '{{}}'),
        coalesce((select jsonb_agg(touch order by touch_number) from described), '[]'),
        coalesce((
            select jsonb_object_agg(load_id, rows)
            from (select load_id, count(*) as rows from found group by load_id) as counted
        ), '{{}}')
    into conversion, touches, loads;

    with
    divided as (
        select * from ops.conversion_credits(day, explain_conversion.conversion_id) where weight > 0
    ),
    shown as (
        select model, touch_number, weight, credited_cents from marts.attribution_credits as credits
        where credits.metric_date = day and credits.conversion_id = explain_conversion.conversion_id
    ),
    compared as (
        select model, jsonb_agg(jsonb_build_object(
            'touch_number', coalesce(shown.touch_number, divided.touch_number),
            'channel_value', divided.channel_value,
            'weight', shown.weight, 'recomputed_weight', divided.weight,
            'credited_cents', shown.credited_cents, 'recomputed_cents', divided.credited_cents
        ) order by coalesce(shown.touch_number, divided.touch_number)) as credits,
        bool_and(
            shown.weight is not distinct from divided.weight
            and shown.credited_cents is not distinct from divided.credited_cents
        ) as is_equal
        from (select *, coalesce(touch_number, 0) as place from shown) as shown
        full join (select *, coalesce(touch_number, 0) as place from divided) as divided using (model, place)
        group by model
    )
    select jsonb_agg(jsonb_build_object(
        'model', known.model, 'formula', known.formula, 'is_equal', coalesce(compared.is_equal, false),
        'credits', coalesce(compared.credits, '[]')
    ) order by known.place) into models
    from unnest({models}::text[], {formulas}::text[]) with ordinality as known (model, formula, place)
    left join compared using (model);
    return jsonb_build_object(
        'conversion', conversion, 'touches', touches, 'models', models,
        'is_equal', not exists (select from jsonb_array_elements(models) as of where not (of -> 'is_equal')::boolean),
        'provenance', ops.provenance_of_days('attribution_credits', day, day, loads)
    );
end
$function$;
comment on function ops.explain_conversion is
    'What makes up a conversion: touches, the rule of each channel, weights by model, events with file and line.';
"""


def conversion_functions(*, half_life_days: int) -> sql.Composed:
    """Return the statements that create the functions."""
    formulas = [words.format(half_life_days=half_life_days) for words in MODELS.values()]
    return sql.SQL("\n").join(
        [
            division_function(half_life_days=half_life_days),
            sql.SQL(_TOUCHES_FUNCTION),
            sql.SQL(_FUNCTION).format(models=sql.Literal(list(MODELS)), formulas=sql.Literal(formulas)),
        ]
    )
