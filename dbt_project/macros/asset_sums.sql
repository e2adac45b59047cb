{# A select: the additive metrics of each asset and day, over CTE days (daily_metrics), whatever projects and licenses the
   events named. #}
{% macro asset_sums() -%}
    select
        metric_date,
        ip_asset_id,
        cast(sum(views) as bigint) as views,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(conversions) as bigint) as conversions,
        cast(sum(revenue_cents) as bigint) as revenue_cents
    from days
    where ip_asset_id is not null
    group by
        metric_date,
        ip_asset_id
{%- endmacro %}
