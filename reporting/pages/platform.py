"""The section on the platform: revenue, people, assets, licenses, channels, from the marts."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import psycopg

from reporting.pages import charts, numbers
from reporting.pages.blocks import Figure, Panel, Section
from reporting.pages.marts import (
    ASSET,
    DAY,
    SHOWN,
    Number,
    by_period,
    last_published_day,
    listed,
    missing_days,
    rows_of,
)

_MARTS: Final = ("platform_metrics", "platform_daily_metrics", "attribution_daily", "asset_metrics")
_TOP: Final = 10
_MODEL: Final = "last_non_direct"

_DAYS: Final = """
select daily.metric_date, daily.views, daily.clicks, daily.conversions, daily.revenue_cents
from marts.platform_daily_metrics as daily
inner join marts.periods as periods on periods.period = %(period)s
where daily.metric_date between periods.first_date and periods.last_date
order by daily.metric_date
"""
_CHANNELS: Final = """
select credits.channel, sum(credits.credited_conversions) as conversions, sum(credits.credited_cents) as revenue_cents
from marts.attribution_daily as credits
inner join marts.periods as periods on periods.period = %(period)s
where credits.model = %(model)s and credits.metric_date between periods.first_date and periods.last_date
group by credits.channel
order by revenue_cents desc, conversions desc, credits.channel
"""
_ASSETS: Final = """
select title, total_views, total_clicks, total_conversions, total_revenue_cents
from marts.asset_metrics
where period = %(period)s and total_views + total_clicks + total_conversions + total_revenue_cents > 0
order by total_revenue_cents desc, title, ip_asset_id
limit %(top)s
"""

_NUMBERS: Final = (
    Number("Revenue", "revenue_total_cents", numbers.amount),
    Number("Revenue growth", "revenue_growth_pct", numbers.growth),
    Number("Users", "users_total", numbers.count),
    Number("New users", "users_new", numbers.count),
    Number("Active users", "users_active", numbers.count),
    Number("Creators", "creators_total", numbers.count),
    Number("Active creators", "creators_active", numbers.count),
    Number("Revenue per active creator", "creators_avg_revenue_per_creator", numbers.amount),
    Number("Brands", "brands_total", numbers.count),
    Number("Active brands", "brands_active", numbers.count),
    Number("Spend per active brand", "brands_avg_spend_per_brand", numbers.amount),
    Number("Assets", "assets_total", numbers.count),
    Number("Uploaded assets", "assets_uploaded", numbers.count),
    Number("Views per asset", "assets_avg_views_per_asset", numbers.decimal),
    Number("Licenses", "licenses_total", numbers.count),
    Number("Created licenses", "licenses_created", numbers.count),
    Number("Renewals among created licenses", "licenses_renewal_rate", numbers.percent),
    Number("Renewals among expired licenses", "licenses_expiring_renewal_rate", numbers.percent),
)
_CHANNEL: Final = Number("Channel", "channel", numbers.text)
_DAILY: Final = (
    Number("Revenue", "revenue_cents", numbers.amount),
    Number("Views", "views", numbers.count),
    Number("Clicks", "clicks", numbers.count),
    Number("Conversions", "conversions", numbers.count),
)
_OF_CHANNELS: Final = (
    Number("Revenue", "revenue_cents", numbers.amount),
    Number("Conversions", "conversions", numbers.decimal),
)
_OF_ASSETS: Final = (
    Number("Revenue", "total_revenue_cents", numbers.amount),
    Number("Views", "total_views", numbers.count),
    Number("Clicks", "total_clicks", numbers.count),
    Number("Conversions", "total_conversions", numbers.count),
)


def section(connection: psycopg.Connection) -> Section:
    """Return the section, or one that says that nothing is published yet."""
    last_day = last_published_day(connection, *_MARTS)
    if last_day is None:
        return Section("platform", "The platform", "Nothing is published yet, so there are no numbers.")
    periods = rows_of(connection, "select * from marts.platform_metrics")
    days = rows_of(connection, _DAYS, period=SHOWN)
    channels = rows_of(connection, _CHANNELS, period=SHOWN, model=_MODEL)
    assets = rows_of(connection, _ASSETS, period=SHOWN, top=_TOP)
    title = "Revenue by day"
    return Section(
        "platform",
        "The platform",
        f"The 30 days up to {numbers.long_day(last_day)}. {missing_days(connection)}".strip(),
        figures=_figures(periods),
        panels=[
            Panel(
                title,
                listed(days[::-1], DAY, _DAILY, "No day is published."),
                charts.by_day(
                    title,
                    [day.metric_date for day in days],
                    {"Revenue": [day.revenue_cents for day in days]},
                    numbers.whole_amount,
                    is_filled=True,
                ),
            ),
            Panel(
                "Revenue by channel",
                listed(channels, _CHANNEL, _OF_CHANNELS, "No conversion in these days."),
                charts.ranked(
                    "Revenue by channel",
                    {channel.channel: channel.revenue_cents for channel in channels[:_TOP]},
                    numbers.whole_amount,
                ),
                note="Each conversion counts for the last channel before it that is not Direct.",
            ),
            Panel("Assets with the most revenue", listed(assets, ASSET, _OF_ASSETS, "No asset had events.")),
            Panel("All periods", by_period(periods, _NUMBERS)),
        ],
    )


def _figures(periods: Sequence[Any]) -> list[Figure]:
    return [
        figure
        for shown in periods
        if shown.period == SHOWN
        for figure in (
            Figure("Revenue", numbers.amount(shown.revenue_total_cents), _compared(shown.revenue_growth_pct)),
            Figure("Active users", numbers.count(shown.users_active), f"of {numbers.count(shown.users_total)}"),
            Figure(
                "Active creators", numbers.count(shown.creators_active), f"of {numbers.count(shown.creators_total)}"
            ),
            Figure("Active brands", numbers.count(shown.brands_active), f"of {numbers.count(shown.brands_total)}"),
            Figure(
                "Created licenses", numbers.count(shown.licenses_created), f"of {numbers.count(shown.licenses_total)}"
            ),
        )
    ]


def _compared(growth: Decimal | None) -> str:
    return "no days before to compare with" if growth is None else f"{numbers.growth(growth)} on the 30 days before"
