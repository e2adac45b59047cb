{# Select items: the measures of daily_metrics over a group of events. #}
{% macro daily_measures() -%}
    cast(sum(case when is_view then 1 else 0 end) as bigint) as views,
    cast(sum(case when is_click then 1 else 0 end) as bigint) as clicks,
    cast(sum(case when is_conversion then 1 else 0 end) as bigint) as conversions,
    cast(sum(revenue_cents) as bigint) as revenue_cents,
    count(distinct visitor_id) as unique_visitors,
    cast(sum(engagement_time) as numeric(20, 3)) as engagement_time
{%- endmacro %}
