{# The daily metrics over a week or a month, for weekly_metrics and monthly_metrics, which import as `days`, `visitors`,
   `calendar` and `published_before` what it reads: a query. `start_of` gives the first day of a date's period, `next_start` that of
   the one after a period's first day. #}

{% macro period_metrics(start_of, next_start) -%}
{%- set groups = ['period_start', 'project_id', 'ip_asset_id', 'license_id'] -%}
{%- set sums = ['views', 'clicks', 'conversions', 'revenue_cents', 'engagement_time'] -%}
{%- set measures = sums + ['unique_visitors'] -%}
with

-- Number of published days of each period.
lengths as (

    select
        {{ start_of('metric_date') }} as period_start,
        count(*) as published_days
    from calendar
    group by {{ start_of('metric_date') }}

),

-- Visitors are counted over the period, not added up. Two kinds of rows, added: a join on ids that may be null is slow.
parts as (

    select
        {{ start_of('metric_date') }} as period_start,
        project_id,
        ip_asset_id,
        license_id,
        {%- for column in sums %}
        {{ column }},
        {%- endfor %}
        unique_visitors as daily_visitors,
        0 as unique_visitors
    from days

    union all

    select
        {{ start_of('metric_date') }} as period_start,
        project_id,
        ip_asset_id,
        license_id,
        {%- for column in sums %}
        0 as {{ column }},
        {%- endfor %}
        0 as daily_visitors,
        count(distinct visitor_id) as unique_visitors
    from visitors
    group by
        {{ start_of('metric_date') }},
        project_id,
        ip_asset_id,
        license_id

),

totals as (

    select
        {{ groups | join(',\n        ') }},
        {%- for column in measures + ['daily_visitors'] %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from parts
    group by
        {{ groups | join(',\n        ') }}

),

-- With the period before the first that is made here; it is there to be looked back at.
in_sequence as (

    select
        totals.*,
        lengths.published_days,
        true as is_made
    from totals
    inner join lengths
        on totals.period_start = lengths.period_start

    union all

    select
        metric_date as period_start,
        project_id,
        ip_asset_id,
        license_id,
        {%- for column in measures %}
        {{ column }},
        {%- endfor %}
        null as daily_visitors,
        published_days,
        false as is_made
    from published_before

)

select
    *,
    {%- for column in measures %}
    case when lag({{ next_start('period_start') }}) over sequence = period_start then lag({{ column }}) over sequence end
        as previous_{{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
from in_sequence
window sequence as (partition by project_id, ip_asset_id, license_id order by period_start)
{%- endmacro %}

{# What is read of the period before. #}
{% macro columns_of_previous_period() -%}
    {{ return([
        'metric_date', 'project_id', 'ip_asset_id', 'license_id', 'published_days', 'views', 'clicks', 'conversions',
        'revenue_cents', 'engagement_time', 'unique_visitors',
    ]) }}
{%- endmacro %}

{# The last select of both. #}
{% macro period_metrics_columns() -%}
    period_start as metric_date,
    project_id,
    ip_asset_id,
    license_id,
    published_days,
    cast(views as bigint) as views,
    cast(clicks as bigint) as clicks,
    cast(conversions as bigint) as conversions,
    cast(revenue_cents as bigint) as revenue_cents,
    cast(unique_visitors as bigint) as unique_visitors,
    cast(engagement_time as numeric(20, 3)) as engagement_time,
    {%- for average, total in [
        ('views', 'views'), ('clicks', 'clicks'), ('conversions', 'conversions'), ('revenue_cents', 'revenue_cents'),
        ('unique_visitors', 'daily_visitors'), ('engagement_time', 'engagement_time')
    ] %}
    {{ rate(total, 'published_days') }} as avg_daily_{{ average }},
    {%- endfor %}
    {{ growth_pct('views', 'previous_views') }} as views_growth_pct,
    {{ growth_pct('clicks', 'previous_clicks') }} as clicks_growth_pct,
    {{ growth_pct('conversions', 'previous_conversions') }} as conversions_growth_pct,
    {{ growth_pct('revenue_cents', 'previous_revenue_cents') }} as revenue_growth_pct,
    {{ growth_pct('unique_visitors', 'previous_unique_visitors') }} as unique_visitors_growth_pct,
    {{ growth_pct('engagement_time', 'previous_engagement_time') }} as engagement_time_growth_pct
{%- endmacro %}

{# What weekly_metrics_by_channel reads of the week before. #}
{% macro columns_of_previous_channels() -%}
    {{ return([
        'metric_date', 'channel', 'published_days', 'views', 'clicks', 'conversions', 'revenue_cents', 'engagement_time',
    ]) }}
{%- endmacro %}
