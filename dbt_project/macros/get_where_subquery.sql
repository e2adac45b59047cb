{# Data tests look at the window and nothing else, so that their cost follows what changed. `where: in_window(<column>)` in a test's
   config stands for what the run replaces of the model, by its scope; YAML cannot call macros. #}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where') -%}
    {%- if not where -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- set windowed = modules.re.match('^in_window[(]([a-z_]+)[)]$', where) -%}
    {%- set tested = graph.nodes.get(model.attached_node) -%}
    {%- set predicate = in_scope(windowed.group(1), scope_of(tested) if tested else 'day') if windowed else where -%}
    {%- set filtered -%}
        (select * from {{ relation }} where {{ predicate }}) as tested
    {%- endset -%}
    {{ return(filtered) }}
{%- endmacro %}
