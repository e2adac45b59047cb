{# The steps of the funnel in their order, each as int_funnel_events numbers it. #}
{% macro funnel_steps() -%}
    select
        step_number,
        step
    from (values (1, 'viewed'), (2, 'downloaded_or_clicked'), (3, 'license_created'), (4, 'license_signed')) as steps (step_number, step)
{%- endmacro %}
