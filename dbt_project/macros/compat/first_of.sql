{# Of a group's rows the first value that is not null, in an order that breaks all ties. #}
{% macro first_of(value, order_by) -%}
    {{ return(adapter.dispatch('first_of')(value, order_by)) }}
{%- endmacro %}

{% macro default__first_of(value, order_by) -%}
    (array_agg({{ value }} order by {{ order_by }}) filter (where {{ value }} is not null))[1]
{%- endmacro %}
