"""The rows of the read benchmark: of each mart the keys, as many as a year of a large marketplace has."""

from typing import Final

_PERIODS: Final = "unnest(array['today', '7d', '30d', '90d', '1y', 'all']) as period"
_DAYS: Final = "(select {last} - n as day from generate_series(0, {days} - 1) as n) as days"
_SPANS: Final = """
    select metric_date, null as project_id, 'asset-' || n as ip_asset_id, null as license_id
    from (
        select distinct date_trunc('{unit}', ({{last}} - n)::timestamp)::date as metric_date
        from generate_series(0, {{days}} - 1) as n
    ) as spans
    cross join generate_series(0, {{assets}} - 1) as n
"""
_CREDITED: Final = f"""
    select day::date as metric_date, model, 'Channel ' || n % 12 as channel, 'source ' || n as source,
        'medium ' || n % 7 as medium, 'campaign ' || n as campaign
    from {_DAYS}
    cross join unnest(array['first_touch', 'last_touch', 'last_non_direct', 'linear', 'position_based', 'time_decay',
        'markov', 'shapley']) as model
    cross join generate_series(0, 39) as n
"""

ROWS: Final = {
    "daily_metrics": f"""
        select day::date as metric_date, null as project_id,
            -- Every asset comes again after some days.
            'asset-' || (n * 7919 + extract(doy from day)::int * {{groups}}) % {{assets}} as ip_asset_id,
            null as license_id
        from {_DAYS} cross join generate_series(0, {{groups}} - 1) as n
    """,
    "weekly_metrics": _SPANS.format(unit="week"),
    "monthly_metrics": _SPANS.format(unit="month"),
    "asset_metrics": f"""
        select 'asset-' || n as ip_asset_id, period from generate_series(0, {{assets}} - 1) as n, {_PERIODS}
    """,
    "asset_top_referrers": f"""
        select 'asset-' || n as ip_asset_id, period, 'host-' || rank || '.example' as referrer, rank
        from generate_series(0, {{assets}} - 1) as n, {_PERIODS}, generate_series(1, 10) as rank
    """,
    "creator_daily_metrics": f"""
        select day::date as metric_date, 'creator-' || n as creator_id
        from {_DAYS} cross join generate_series(0, {{creators}} - 1) as n
    """,
    "creator_dashboard": f"""
        select 'creator-' || n as creator_id, period from generate_series(0, {{creators}} - 1) as n, {_PERIODS}
    """,
    "creator_top_assets": f"""
        select 'creator-' || n as creator_id, period, 'asset-' || rank * {{creators}} + n as ip_asset_id, rank
        from generate_series(0, {{creators}} - 1) as n, {_PERIODS}, generate_series(1, 10) as rank
    """,
    "creator_traffic_sources": f"""
        select 'creator-' || n as creator_id, period, 'source ' || rank as utm_source, rank
        from generate_series(0, {{creators}} - 1) as n, {_PERIODS}, generate_series(1, 10) as rank
    """,
    "brand_campaign_metrics": f"""
        select 'brand-' || n as brand_id, period, 'project ' || project as project_id
        from generate_series(0, {{brands}} - 1) as n, {_PERIODS}, generate_series(1, 3) as project
    """,
    "brand_campaign_assets": f"""
        select 'brand-' || n as brand_id, period, 'project ' || project as project_id,
            'asset-' || (n * 30 + project * 10 + asset) % {{assets}} as ip_asset_id
        from generate_series(0, {{brands}} - 1) as n, {_PERIODS}, generate_series(1, 3) as project,
            generate_series(0, 9) as asset
    """,
    "platform_metrics": f"select period from {_PERIODS}",
    "platform_daily_metrics": f"select day::date as metric_date from {_DAYS}",
    "published_days": f"""
        select day::date as metric_date, date_trunc('week', day::timestamp)::date as week_start,
            date_trunc('month', day::timestamp)::date as month_start
        from {_DAYS}
    """,
    "periods": """
        select {last} as metric_date, period, {last} - least(length, {days}) + 1 as first_date, {last} as last_date
        from (values ('today', 1), ('7d', 7), ('30d', 30), ('90d', 90), ('1y', 365), ('all', 100000))
            as lengths (period, length)
    """,
    "attribution_daily": _CREDITED,
    "roas_daily": _CREDITED,
    "funnel_daily": f"""
        select day::date as metric_date, step_number, 'step ' || step_number as step
        from {_DAYS} cross join generate_series(1, 4) as step_number
    """,
    "cohort_retention": """
        select ({last} - 7 * cohort)::date as cohort_week, week_number
        from generate_series(0, {days} / 7) as cohort cross join lateral generate_series(0, cohort) as week_number
    """,
}
