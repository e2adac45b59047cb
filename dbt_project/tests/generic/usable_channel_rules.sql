{# A failing row is what is wrong with a rule, in words: rules with mistakes classify nothing, or everything, in silence. #}
{% test usable_channel_rules(model, channels, kinds) %}
{%- set conditions = ['source_kind', 'source_pattern', 'medium_pattern', 'campaign_pattern'] -%}
{%- set no_conditions -%} coalesce({{ conditions | join(', ') }}) is null {%- endset -%}
{%- set query -%}
with

rules as (

    select * from {{ model }}

),

problems as (

    select 'there are no rules' as problem
    from rules
    having count(*) = 0
    union all
    select 'rule ' || coalesce(cast(priority as text), 'without a priority') || ': no channel is called '
        || coalesce('"' || channel || '"', 'nothing') || '; seeds/_seeds.yml lists them'
    from rules
    where channel is null or channel not in ({% for channel in channels %}'{{ channel }}'{{ ', ' if not loop.last }}{% endfor %})
    union all
    select 'rule ' || priority || ': no kind of source is called "' || source_kind || '"; seeds/_seeds.yml lists them'
    from rules
    where source_kind not in ({% for kind in kinds %}'{{ kind }}'{{ ', ' if not loop.last }}{% endfor %})
    {%- for condition in conditions if condition != 'source_kind' %}
    union all
    select 'rule ' || priority || ': {{ condition }} "' || {{ condition }} || '": '
        || {{ regular_expression_error(condition) }}
    from rules
    where {{ regular_expression_error(condition) }} is not null
    {%- endfor %}
    union all
    select 'rule ' || coalesce(cast(priority as text), 'without a priority') || ': ' || count(*) || ' rules have this priority'
    from rules
    group by priority
    having count(*) > 1
    union all
    select 'the last rule, ' || priority || ', must give Unassigned without conditions to all that is left'
    from rules
    where
        priority = (select max(last.priority) from rules as last)
        and (channel <> 'Unassigned' or not {{ no_conditions }})
    union all
    select 'rule ' || priority || ': it has no condition, so that no later rule is ever reached'
    from rules
    where priority < (select max(last.priority) from rules as last) and {{ no_conditions }}

)

select 'seed channel_rules, ' || problem as problem
from problems
{%- endset %}
{{ test_with_messages(query) }}
{% endtest %}
