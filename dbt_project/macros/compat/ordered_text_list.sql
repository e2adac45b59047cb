{# An aggregate: the texts of a group in one, in an order that breaks all ties. #}
{% macro ordered_text_list(column, separator, order_by) -%}
    {{ return(adapter.dispatch('ordered_text_list')(column, separator, order_by)) }}
{%- endmacro %}

{% macro default__ordered_text_list(column, separator, order_by) -%}
    string_agg({{ column }}, '{{ separator }}' order by {{ order_by }})
{%- endmacro %}
