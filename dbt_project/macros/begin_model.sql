{# The first hook in the transaction of every windowed model. It stops a build that has lost the warehouse to a later run, such
   as a child process that outlived its run. It marks the days of the window as incomplete until their build completes them. #}
{% macro begin_model() %}
    {%- if execute and model.config.materialized == 'windowed' -%}
    select ops.begin_model('{{ dbt_metadata_envs.get("WAREHOUSE_BUILD_ID", "") }}', {{ window_start() }}, {{ window_end() }})
    {%- endif -%}
{% endmacro %}
