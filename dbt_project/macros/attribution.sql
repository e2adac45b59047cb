{# Paths and credits. What the rules are for is in docs/concepts/attribution.md. #}

{# Every attribution model, a row each. #}
{% macro attribution_models() -%}
    select model
    from (values
        ('first_touch'), ('last_touch'), ('last_non_direct'), ('linear'), ('position_based'), ('time_decay'), ('markov'), ('shapley')
    ) as models (model)
{%- endmacro %}

{# The most specific part of the visits that a spend row names: campaign, source (or medium), or a channel alone. Equal names always
   have the same level. #}
{% macro spend_level(source, medium, campaign) -%}
    case
        when {{ campaign }} <> {{ channel_fallback('no_tag', 'campaign') }} then 'campaign'
        when {{ source }} <> {{ channel_fallback('no_tag', 'source') }} or {{ medium }} <> {{ channel_fallback('no_tag', 'medium') }} then 'source'
        else 'channel'
    end
{%- endmacro %}

{# True for touches that stay in their path, by the var attribution_path_transform. For rows of all touches of all conversions;
   a path is (conversion_date, conversion_id). #}
{% macro is_kept_in_path() -%}
    {%- set conversion = 'partition by conversion_date, conversion_id' -%}
    {%- set origin = ['channel', 'source', 'medium', 'campaign'] -%}
    {%- set differs_from_last = [] -%}
    {%- for column in origin -%}
        {%- do differs_from_last.append(
            column ~ ' is distinct from lag(' ~ column ~ ') over (' ~ conversion ~ ' order by touched_at, session_id)'
        ) -%}
    {%- endfor -%}
    {%- set nth = 'row_number() over (' ~ conversion ~ ', ' ~ origin | join(', ') ~ ' order by ' -%}
    {%- set rules = {
        'none': 'true',
        'exposure': differs_from_last | join(' or '),
        'unique': nth ~ 'touched_at desc, session_id desc) = 1',
        'first': nth ~ 'touched_at, session_id) = 1',
        'remove_direct_unless_all': "channel <> 'Direct' or max(case when channel <> 'Direct' then 1 else 0 end) over ("
            ~ conversion ~ ") = 0",
    } -%}
    {%- set transform = var('attribution_path_transform') -%}
    {%- if transform not in rules -%}
        {%- do exceptions.raise_compiler_error(
            "attribution_path_transform is '" ~ transform ~ "'; it has to be one of " ~ rules | join(', ')
        ) -%}
    {%- endif -%}
    {{ rules[transform] }}
{%- endmacro %}
