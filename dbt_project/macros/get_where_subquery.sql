{# Data tests judge the window and nothing else, so that they cost what changed. `where: in_window(<column>)` in a test's
   config stands for the window of the run; YAML cannot call macros. #}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where') -%}
    {%- if not where -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- set windowed = modules.re.match('^in_window[(]([a-z_]+)[)]$', where) -%}
    {%- set predicate = in_window(windowed.group(1)) if windowed else where -%}
    {%- set filtered -%}
        (select * from {{ relation }} where {{ predicate }}) as judged
    {%- endset -%}
    {{ return(filtered) }}
{%- endmacro %}
