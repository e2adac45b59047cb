{# In a select: one row for every day from the year before a date to the year after another one, both years whole. #}
{% macro each_day_of_years(first, last) -%}
    {{ return(adapter.dispatch('each_day_of_years')(first, last)) }}
{%- endmacro %}

{% macro default__each_day_of_years(first, last) -%}
    cast(generate_series(
        date_trunc('year', cast({{ first }} as timestamp)) - interval '1 year',
        date_trunc('year', cast({{ last }} as timestamp)) + interval '2 years' - interval '1 day',
        interval '1 day'
    ) as date)
{%- endmacro %}
