{# An aggregate: the texts of a group in one, in an order that breaks all ties. #}
{% macro text_of(column, separator, order_by) -%}
    {{ return(adapter.dispatch('text_of')(column, separator, order_by)) }}
{%- endmacro %}

{% macro default__text_of(column, separator, order_by) -%}
    string_agg({{ column }}, '{{ separator }}' order by {{ order_by }})
{%- endmacro %}
