{{ config(event_time='metric_date') }}

{%- set measures = ['views', 'clicks', 'conversions', 'revenue_cents', 'engagement_time'] %}

with

days as (

    select * from {{ current_version('daily_metrics_by_channel') }}
    where {{ in_scope('metric_date') }}

),

calendar as (

    select * from {{ current_version('published_days') }}
    where {{ in_scope('metric_date') }}

),

published_before as (

    select * from {{ published_period_before('weekly_metrics_by_channel', columns_of_previous_channels()) }}
    where {{ in_previous_period('metric_date') }}

),

lengths as (

    select
        week_start,
        count(*) as published_days
    from calendar
    group by week_start

),

totals as (

    select
        {{ monday_of('metric_date') }} as week_start,
        channel,
    {%- for column in measures %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
    from days
    group by
        {{ monday_of('metric_date') }},
        channel

),

-- With the week before the first that is made here; it is there to be looked back at.
in_sequence as (

    select
        totals.*,
        lengths.published_days,
        true as is_made
    from totals
    inner join lengths
        on totals.week_start = lengths.week_start

    union all

    select
        metric_date as week_start,
        channel,
        {%- for column in measures %}
            {{ column }},
        {%- endfor %}
        published_days,
        false as is_made
    from published_before

),

compared as (

    select
        *,
    {%- for column in measures %}
        case when lag(week_start + 7) over by_week = week_start then lag({{ column }}) over by_week end
            as previous_{{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
    from in_sequence
    window by_week as (partition by channel order by week_start)

)

select
    week_start as metric_date,
    channel,
    published_days,
    cast(views as bigint) as views,
    cast(clicks as bigint) as clicks,
    cast(conversions as bigint) as conversions,
    cast(revenue_cents as bigint) as revenue_cents,
    cast(engagement_time as numeric(20, 3)) as engagement_time,
    {{ rate('revenue_cents', 'published_days') }} as avg_daily_revenue_cents,
    {{ growth_pct('views', 'previous_views') }} as views_growth_pct,
    {{ growth_pct('clicks', 'previous_clicks') }} as clicks_growth_pct,
    {{ growth_pct('conversions', 'previous_conversions') }} as conversions_growth_pct,
    {{ growth_pct('revenue_cents', 'previous_revenue_cents') }} as revenue_growth_pct,
    {{ growth_pct('engagement_time', 'previous_engagement_time') }} as engagement_time_growth_pct
from compared
where is_made
