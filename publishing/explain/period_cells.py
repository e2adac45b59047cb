"""Explained cells of period marts of assets, creators and brands: their rows are days of the period, or licenses."""

from collections.abc import Mapping
from typing import Final

from publishing.explain.cells import IN_SPAN, Cells, Span, Value, percentage, rate, same, summed, total

_DAYS: Final = "the days of the period"


def _day_rows(relation: str, keys: tuple[str, ...]) -> str:
    return f"""
        select days.* from cell
        inner join {relation} as days on days.metric_date {IN_SPAN} and {same(keys, "days")}
    """


def _totals(**columns: str) -> dict[str, Value]:
    """Return the values of columns that each sum another column of the days."""
    return {column: total(measure, _DAYS) for column, measure in columns.items()}


def _sums_as(measures: Mapping[str, str], mart: str, relation: str, keys: tuple[str, ...]) -> Cells:
    return Cells(mart, _day_rows(relation, keys), _totals(**measures), Span.PERIOD)


def _rank(mart: str, keys: tuple[str, ...], order: str, words: str) -> Cells:
    rows = f"""
        select row_number() over (order by {order}) as place, shown.*, shown.rank = cell.rank as is_explained
        from cell
        inner join marts.{mart} as shown on {same(("period", *keys), "shown")}
    """
    value = Value("max(place) filter (where is_explained)", f"place among the rows shown, {words}")
    return Cells(mart, rows, {"rank": value}, Span.PERIOD)


_ASSET: Final = ("ip_asset_id",)
_VISITORS: Final = f"""
    select min(visits.metric_date) as first_date, max(visits.metric_date) as last_date,
        count(distinct visits.metric_date) as days, visits.visitor_id
    from cell
    inner join rollups.visitor_asset_days as visits
        on visits.metric_date {IN_SPAN} and visits.ip_asset_id = cell.ip_asset_id
    group by visits.visitor_id
"""
_ASSET_RATES: Final = {
    "avg_engagement_time": Value(
        rate("sum(engagement_time)", f"(select count(*) from ({_VISITORS}) as visitors)"),
        f"sum of engagement_time over {_DAYS} / number of distinct visitors of the period",
    ),
    "conversion_rate": Value(
        percentage(summed("conversions"), summed("views")), f"sum of conversions / sum of views over {_DAYS}, in %"
    ),
    "click_through_rate": Value(
        percentage(summed("clicks"), summed("views")), f"sum of clicks / sum of views over {_DAYS}, in %"
    ),
}


def _asset_cells() -> list[Cells]:
    days = _day_rows("marts.daily_metrics", _ASSET)
    sums = _totals(
        total_views="views", total_clicks="clicks", total_conversions="conversions", total_revenue_cents="revenue_cents"
    )
    visitors = Value("count(*)", "number of distinct visitors of the period")
    return [
        Cells("asset_metrics", days, sums | _ASSET_RATES, Span.PERIOD),
        Cells("asset_metrics", _VISITORS, {"unique_visitors": visitors}, Span.PERIOD),
        _sums_as({"views": "views"}, "asset_top_referrers", "rollups.referrer_days", ("ip_asset_id", "referrer")),
        _rank("asset_top_referrers", _ASSET, "shown.views desc, shown.referrer", "most views first, then by name"),
    ]


def _license_rows(condition: str) -> str:
    return f"""
        select licenses.created_date, licenses.license_id, licenses.ip_asset_id
        from cell
        inner join intermediate.int_licenses_owned as licenses
            on licenses.created_date {IN_SPAN} and licenses.creator_id = cell.creator_id and {condition}
    """


_LICENSES: Final = Value("count(*)", "number of licenses created in the period on assets that the creator owned then")


def _creator_cells() -> list[Cells]:
    creator = ("creator_id",)
    licenses = _license_rows("true")
    rates = {
        "avg_conversion_rate": Value(
            percentage(f"(select count(*) from ({licenses}) as licenses)", summed("views")),
            f"number of licenses created / sum of views over {_DAYS}, in %",
        )
    }
    sums = _totals(total_views="views", total_revenue_cents="revenue_cents")
    return [
        Cells("creator_dashboard", _day_rows("marts.creator_daily_metrics", creator), sums | rates, Span.PERIOD),
        Cells("creator_dashboard", licenses, {"total_licenses": _LICENSES}, Span.PERIOD),
        _sums_as(
            {"views": "views", "revenue_cents": "revenue_cents"},
            "creator_top_assets",
            "rollups.creator_asset_days",
            (*creator, *_ASSET),
        ),
        Cells(
            "creator_top_assets",
            _license_rows("licenses.ip_asset_id = cell.ip_asset_id"),
            {"licenses": _LICENSES},
            Span.PERIOD,
        ),
        _rank(
            "creator_top_assets",
            creator,
            "shown.revenue_cents desc, coalesce(shown.title, ''), shown.ip_asset_id",
            "most revenue first, then by title",
        ),
        _sums_as(
            {"visits": "visits", "conversions": "conversions"},
            "creator_traffic_sources",
            "rollups.creator_source_days",
            (*creator, "utm_source"),
        ),
        _rank(
            "creator_traffic_sources", creator, "shown.visits desc, shown.utm_source", "most visits first, then by name"
        ),
    ]


_CAMPAIGN: Final = ("brand_id", "project_id")
_SPEND: Final = f"""
    select spend.spend_date, spend.license_id, spend.license_adjustment_id, spend.spend_cents
    from cell
    inner join intermediate.int_license_spend as spend
        on spend.spend_date {IN_SPAN} and {same(_CAMPAIGN, "spend")}
"""


def _brand_cells() -> list[Cells]:
    spent = f"(select coalesce(sum(spend_cents), 0) from ({_SPEND}) as spend)"
    rates = {
        "roi_pct": Value(
            percentage(f"({summed('revenue_cents')} - {spent})", spent),
            f"(sum of revenue_cents over {_DAYS} - spend of the period) / spend of the period, in %",
        )
    }
    sums = _totals(
        total_impressions="views",
        total_clicks="clicks",
        total_conversions="conversions",
        total_revenue_cents="revenue_cents",
    )
    fees = total("spend_cents", "the fees and adjustments of the campaign's licenses in the period")
    asset_rates = {
        "ctr": Value(percentage(summed("clicks"), summed("views")), f"sum of clicks / sum of views over {_DAYS}, in %")
    }
    of_asset = _day_rows("rollups.brand_asset_days", (*_CAMPAIGN, *_ASSET))
    return [
        Cells("brand_campaign_metrics", _day_rows("rollups.brand_asset_days", _CAMPAIGN), sums | rates, Span.PERIOD),
        Cells("brand_campaign_metrics", _SPEND, {"total_spend_cents": fees}, Span.PERIOD),
        Cells("brand_campaign_assets", of_asset, _totals(views="views", clicks="clicks") | asset_rates, Span.PERIOD),
    ]


def period_cells() -> list[Cells]:
    """Return the cells of the period marts of assets, creators and brands."""
    return [*_asset_cells(), *_creator_cells(), *_brand_cells()]
