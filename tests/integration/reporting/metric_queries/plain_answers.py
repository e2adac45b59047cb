"""Answers that plain SQL over schema raw gives to metric queries, by the formulas of the dashboards."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg

from tests.support import dashboard_formulas, platform_formulas, visit_formulas
from tests.support.random_quarter import LAST

LENGTHS = {"today": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": None}
_EXPECTED = {**dashboard_formulas.EXPECTED, **platform_formulas.EXPECTED, **visit_formulas.EXPECTED}
# By formula the places of what is asked for: the id and the period. What is left of a row is the answer.
_PLACES = {
    "asset_metrics": (2, 1),
    "asset_top_referrers": (2, 1),
    "creator_dashboard": (2, 1),
    "creator_top_assets": (2, 1),
    "creator_traffic_sources": (2, 1),
    "creator_revenue_timeline": (2, 0),
    "brand_campaign_metrics": (2, 1),
    "brand_campaign_assets": (2, 1),
    "platform_metrics": (None, 1),
    "platform_revenue_timeline": (None, 0),
}
# Of the other columns the last day of the span is no part of an answer.
_LAST_DAY = set(_PLACES) - {"creator_revenue_timeline", "platform_revenue_timeline"}
_ASSET_DAYS = """
    select asset, day, sum(views), sum(clicks), sum(conversions), sum(cents), count(distinct visitor), sum(seconds)
    from facts group by asset, day
"""
_OF_OWNER = """
    select {owner}, asset, period, coalesce(sum(views), 0), coalesce(sum(clicks), 0),
        coalesce(sum(conversions), 0), coalesce(sum(cents), 0), count(distinct visitor)
    from facts
    inner join spans on day between first and last
    cross join raw.{owner}s as owners
    where exists (
        select from raw.{terms} as terms
        where terms.ip_asset_id = asset and terms.{owner}_id = owners.id
            and day >= terms.start_date and day < coalesce(terms.end_date, 'infinity')
    )
    group by owners.id, asset, period
"""


class PlainAnswers:
    """Numbers of raw for every id, every period and these ranges, which are named by their place in the sequence."""

    def __init__(self, connection: psycopg.Connection, ranges: Sequence[tuple[date, date]]) -> None:
        for made in (dashboard_formulas.TRACKED, dashboard_formulas.OWNED, visit_formulas.SESSIONS):
            connection.execute(made)  # type: ignore[arg-type]
        for period, length in LENGTHS.items():
            first = LAST - timedelta(days=length - 1) if length else "-infinity"
            connection.execute("insert into spans values (%s, %s, %s)", [period, first, LAST])
        by_period = {formula: self._rows(connection, formula) for formula in _PLACES}
        for number, (start, end) in enumerate(ranges):
            connection.execute("insert into spans values (%s, %s, %s)", [str(number), start, end - timedelta(days=1)])
        of_ranges = {formula: self._rows(connection, formula) for formula in ("asset_metrics", "asset_top_referrers")}
        self.rows: Mapping[str, Mapping[tuple[Any, Any], list[tuple[Any, ...]]]] = by_period | of_ranges
        self.days = {row[:2]: row[2:] for row in connection.execute(_ASSET_DAYS)}
        self.of_creators = self._of_owners(connection, "creator", "ip_ownerships")
        self.of_brands = self._of_owners(connection, "brand", "licenses")
        self.published = {day for (day,) in connection.execute("select event_date from ops.published_days")}

    def _rows(self, connection: psycopg.Connection, formula: str) -> Mapping[tuple[Any, Any], list[tuple[Any, ...]]]:
        of_id, of_period = _PLACES[formula]
        left_out = {of_id, of_period, *([0] if formula in _LAST_DAY else [])}
        rows = defaultdict(list)
        for row in connection.execute(_EXPECTED[formula]):  # type: ignore[arg-type]
            asked = (None if of_id is None else row[of_id], row[of_period])
            rows[asked].append(tuple(value for place, value in enumerate(row) if place not in left_out))
        return rows

    def _of_owners(self, connection: psycopg.Connection, owner: str, terms: str) -> Mapping[tuple[Any, ...], Any]:
        query = _OF_OWNER.format(owner=owner, terms=terms).replace(f"select {owner},", "select owners.id,")
        return {row[:3]: row[3:] for row in connection.execute(query)}  # type: ignore[arg-type]

    def of(self, formula: str, of_id: str | None, period: str) -> list[tuple[Any, ...]]:
        """The rows of a formula, in an order of their own."""
        return in_order(self.rows[formula].get((of_id, period), []))


def in_order(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows as they are compared: numbers without trailing zeros, in one order."""
    return sorted((tuple(map(_plain, row)) for row in rows), key=str)


def _plain(value: Any) -> Any:
    return Decimal(value).normalize() if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def values(rows: Sequence[Any], *fields: str) -> list[tuple[Any, ...]]:
    """The values of models as they are compared: of these fields, or of all."""
    return in_order([[getattr(row, name) for name in fields or type(row).model_fields] for row in rows])
