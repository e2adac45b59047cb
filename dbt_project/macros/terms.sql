{# True when a day is in the term of a share or license: from its first day until before its end, which may be open. #}
{% macro in_term(day, start_date, end_date) -%}
    ({{ day }} >= {{ start_date }} and ({{ end_date }} is null or {{ day }} < {{ end_date }}))
{%- endmacro %}
