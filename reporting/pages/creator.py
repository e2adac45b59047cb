"""The section on one creator, from the marts that the creator's own dashboard reads."""

from typing import Final

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
from warehouse.single_values import value_of

_KEY: Final = "creator"
_TITLE: Final = "A creator"
_MARTS: Final = (
    "creator_dashboard",
    "creator_revenue_timeline",
    "creator_top_assets",
    "creator_traffic_sources",
)

_FIRST: Final = """
select creator_id from marts.creator_dashboard where period = %s
order by total_revenue_cents desc, display_name, creator_id limit 1
"""
_PERIODS: Final = "select * from marts.creator_dashboard where creator_id = %(creator)s"
_DAYS: Final = """
select metric_date, revenue_cents from marts.creator_revenue_timeline
where creator_id = %(creator)s and period = %(period)s order by metric_date
"""
_ASSETS: Final = """
select title, views, licenses, revenue_cents from marts.creator_top_assets
where creator_id = %(creator)s and period = %(period)s order by rank
"""
_SOURCES: Final = """
select utm_source, visits, conversions from marts.creator_traffic_sources
where creator_id = %(creator)s and period = %(period)s order by rank
"""

_REVENUE: Final = Number("Revenue", "revenue_cents", numbers.amount)
_NUMBERS: Final = (
    Number("Revenue", "total_revenue_cents", numbers.amount),
    Number("Views", "total_views", numbers.count),
    Number("Licenses", "total_licenses", numbers.count),
    Number("Licenses of views", "avg_conversion_rate", numbers.percent),
)
_OF_ASSETS: Final = (
    _REVENUE,
    Number("Views", "views", numbers.count),
    Number("Licenses", "licenses", numbers.count),
)
_SOURCE: Final = Number("Source", "utm_source", numbers.text)
_OF_SOURCES: Final = (
    Number("Visits", "visits", numbers.count),
    Number("Conversions", "conversions", numbers.count),
)


class CreatorNotFound(Exception):
    """The id is not that of a creator who is in the marts."""


def section(connection: psycopg.Connection, creator_id: str | None) -> Section:
    """Return the section on a creator, by default the one with the most revenue. Raises CreatorNotFound."""
    last_day = last_published_day(connection, *_MARTS)
    if last_day is None:
        if creator_id is not None:
            raise CreatorNotFound(f"there is no creator {creator_id!r} yet: nothing is published")
        return Section(_KEY, _TITLE, "Nothing is published yet, so there is no creator to show.")
    chosen = creator_id if creator_id is not None else value_of(connection, _FIRST, [SHOWN])
    if chosen is None:
        return Section(_KEY, _TITLE, "The product has no creator who is not deleted, so there is none to show.")
    of_creator = {"creator": chosen, "period": SHOWN}
    periods = rows_of(connection, _PERIODS, **of_creator)
    if not periods:
        raise CreatorNotFound(
            f"the marts have no creator {chosen!r}: choose a creator_id of marts.creator_dashboard. Creators who were"
            " deleted or erased are not there"
        )
    days = rows_of(connection, _DAYS, **of_creator)
    assets = rows_of(connection, _ASSETS, **of_creator)
    sources = rows_of(connection, _SOURCES, **of_creator)
    name = numbers.text(periods[0].display_name)
    why = "" if creator_id is not None else "The creator with the most revenue of these days. "
    return Section(
        _KEY,
        f"Creator {name}",
        f"The 30 days up to {numbers.long_day(last_day)}. {why}{missing_days(connection)}".strip(),
        figures=[
            Figure(number.label, number.written(getattr(row, number.name)))
            for row in periods
            if row.period == SHOWN
            for number in _NUMBERS
        ],
        panels=[
            Panel(
                "Revenue of the creator by day",
                listed(days[::-1], DAY, [_REVENUE], "No day is published."),
                charts.by_day(
                    "Revenue of the creator by day",
                    [day.metric_date for day in days],
                    {"Revenue": [day.revenue_cents for day in days]},
                    numbers.whole_amount,
                    is_filled=True,
                ),
            ),
            Panel(
                "Visits by source",
                listed(sources, _SOURCE, _OF_SOURCES, "Nobody visited the creator's assets in these days."),
                charts.ranked(
                    "Visits by source", {source.utm_source: source.visits for source in sources}, numbers.count
                ),
            ),
            Panel(
                "Assets with the most revenue",
                listed(assets, ASSET, _OF_ASSETS, "The creator had no asset in these days."),
                note="An asset counts undivided for each of its owners.",
            ),
            Panel("All periods of the creator", by_period(periods, _NUMBERS)),
        ],
    )
