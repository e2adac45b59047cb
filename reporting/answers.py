"""Answers of metric queries: pydantic models with the fields of the SQL functions' JSON, and their data frames.

Amounts are whole cents, rates are percentages with 4 decimals. Names are those of the columns of the marts.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

import pandas as pd
from pydantic import BaseModel, ConfigDict

_DTYPES: Final[dict[Any, str]] = {
    int: "int64",
    int | None: "Int64",
    Decimal: "float64",
    Decimal | None: "float64",
    bool: "bool",
    date: "datetime64[s]",
    datetime: "datetime64[us, UTC]",
}


class Row(BaseModel):
    """A row of an answer. Columns that a newer warehouse adds are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Answer(BaseModel):
    """An answer: what was asked, the rows by part, and notes on what is missing.

    `start` is null for period `all`, which has no first day. `end` is the day after the last one.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    # The part that `to_frame` takes where none is named.
    main_part: ClassVar[str]

    def to_frame(self, part: str | None = None) -> pd.DataFrame:
        """Return a part as a data frame: its rows, or the one row of totals. The default is the main part.

        Decimals become floats. Raises ValueError for a part that the answer does not have.
        """
        name = part or self.main_part
        parts = self._parts()
        if name not in parts:
            raise ValueError(f"there is no part {name!r}: it is one of {', '.join(parts)}")
        model, rows = parts[name]
        return _frame(model, rows)

    def _parts(self) -> dict[str, tuple[type[Row], list[Row]]]:
        raise NotImplementedError


def _frame(model: type[Row], rows: list[Row]) -> pd.DataFrame:
    columns = {
        name: pd.Series([getattr(row, name) for row in rows], dtype=_DTYPES.get(field.annotation, "object"))
        for name, field in model.model_fields.items()
        if not _is_nested(field.annotation)
    }
    added = list(rows[0].model_extra or {}) if rows else []
    return pd.DataFrame(columns | {name: [(row.model_extra or {}).get(name) for row in rows] for name in added})


def _is_nested(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) is list


class AssetTotals(Row):
    """Numbers of an asset over a range or period. `unique_visitors` is null where visitors are no longer kept."""

    total_views: int
    total_clicks: int
    total_conversions: int
    total_revenue_cents: int
    unique_visitors: int | None
    avg_engagement_time: Decimal | None
    conversion_rate: Decimal
    click_through_rate: Decimal


class AssetDay(Row):
    """Numbers of an asset on a day."""

    metric_date: date
    views: int
    clicks: int
    conversions: int
    revenue_cents: int
    unique_visitors: int | None
    engagement_time: Decimal


class Referrer(Row):
    """A host that brought views of an asset; `direct` where none is known."""

    rank: int
    referrer: str
    views: int


class AssetMetrics(Answer):
    """The answer of `asset_metrics`."""

    main_part: ClassVar[str] = "totals"

    ip_asset_id: str
    title: str | None
    period: str | None
    start: date | None
    end: date
    totals: AssetTotals
    top_referrers: list[Referrer]
    by_day: list[AssetDay]
    notes: list[str]

    def _parts(self) -> dict[str, tuple[type[Row], list[Row]]]:
        return {
            "totals": (AssetTotals, [self.totals]),
            "by_day": (AssetDay, [*self.by_day]),
            "top_referrers": (Referrer, [*self.top_referrers]),
        }


class CreatorSummary(Row):
    """Numbers of a creator in a period."""

    total_views: int
    total_licenses: int
    total_revenue_cents: int
    avg_conversion_rate: Decimal


class CreatorAsset(Row):
    """One of the assets of a creator with most revenue."""

    rank: int
    ip_asset_id: str
    title: str | None
    views: int
    licenses: int
    revenue_cents: int


class RevenueDay(Row):
    """Revenue of a day."""

    metric_date: date
    revenue_cents: int


class TrafficSource(Row):
    """A source of visits to a creator's assets."""

    rank: int
    utm_source: str
    visits: int
    conversions: int


class CreatorDashboard(Answer):
    """The answer of `creator_dashboard`."""

    main_part: ClassVar[str] = "summary"

    creator_id: str
    display_name: str | None
    period: str
    start: date | None
    end: date
    summary: CreatorSummary
    top_assets: list[CreatorAsset]
    revenue_timeline: list[RevenueDay]
    traffic_sources: list[TrafficSource]
    notes: list[str]

    def _parts(self) -> dict[str, tuple[type[Row], list[Row]]]:
        return {
            "summary": (CreatorSummary, [self.summary]),
            "top_assets": (CreatorAsset, [*self.top_assets]),
            "revenue_timeline": (RevenueDay, [*self.revenue_timeline]),
            "traffic_sources": (TrafficSource, [*self.traffic_sources]),
        }


class CampaignAsset(Row):
    """An asset of a campaign."""

    ip_asset_id: str
    title: str | None
    views: int
    clicks: int
    ctr: Decimal


class Campaign(Row):
    """A campaign of a brand, with its assets; without a project, what the brand licenses without one."""

    project_id: str | None
    project_name: str | None
    total_spend_cents: int
    total_impressions: int
    total_clicks: int
    total_conversions: int
    total_revenue_cents: int
    roi_pct: Decimal
    assets: list[CampaignAsset]


class _AssetOfCampaign(CampaignAsset):
    """An asset of a campaign beside the campaign's project."""

    project_id: str | None


class BrandCampaigns(Answer):
    """The answer of `brand_campaigns`."""

    main_part: ClassVar[str] = "campaigns"

    brand_id: str
    period: str
    start: date | None
    end: date
    campaigns: list[Campaign]
    notes: list[str]

    def _parts(self) -> dict[str, tuple[type[Row], list[Row]]]:
        assets: list[Row] = [
            _AssetOfCampaign(project_id=campaign.project_id, **asset.model_dump())
            for campaign in self.campaigns
            for asset in campaign.assets
        ]
        return {"campaigns": (Campaign, [*self.campaigns]), "assets": (_AssetOfCampaign, assets)}
