{# The steps of the funnel in their order, each as int_funnel_events numbers it. #}
{% macro funnel_steps() -%}
    {%- for step in ['viewed', 'downloaded_or_clicked', 'license_created', 'license_signed'] -%}
    select
        {{ loop.index }} as step_number,
        '{{ step }}' as step
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}
