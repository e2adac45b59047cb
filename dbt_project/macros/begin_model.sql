{# The first hook in the transaction of every windowed model. It stops a build that has lost the warehouse to a later run, such
   as a child process that outlived its run. It marks the days of the window as incomplete until their build completes them. #}
{% macro begin_model() %}
    {%- if execute and model.config.materialized == 'windowed' -%}
    {#- Rollups that are built over all days write none of them. -#}
    {%- set end = window_start() if has_all_days() else window_end() %}
    select ops.begin_model('{{ dbt_metadata_envs.get("WAREHOUSE_BUILD_ID", "") }}', {{ window_start() }}, {{ end }})
    {%- endif -%}
{% endmacro %}
