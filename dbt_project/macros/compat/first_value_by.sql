{# Of a group's rows the first value that is not null, in an order that breaks all ties. #}
{% macro first_value_by(value, order_by) -%}
    {{ return(adapter.dispatch('first_value_by')(value, order_by)) }}
{%- endmacro %}

{% macro default__first_value_by(value, order_by) -%}
    (array_agg({{ value }} order by {{ order_by }}) filter (where {{ value }} is not null))[1]
{%- endmacro %}

{# The last value that is not null. In the order of first_value_by, so that the server sorts the rows once for both. #}
{% macro last_value_by(value, order_by) -%}
    {{ return(adapter.dispatch('last_value_by')(value, order_by)) }}
{%- endmacro %}

{% macro default__last_value_by(value, order_by) -%}
    (array_agg({{ value }} order by {{ order_by }}) filter (where {{ value }} is not null))[count({{ value }})]
{%- endmacro %}
