"""Answers about the platform as a whole and about stored events of an entity."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from reporting.answers import Answer, RevenueDay, Row


class PlatformTotals(Row):
    """Numbers of the whole platform in a period."""

    users_total: int
    users_new: int
    users_active: int
    actors_unknown: int
    creators_total: int
    creators_active: int
    creators_avg_revenue_per_creator: Decimal
    brands_total: int
    brands_active: int
    brands_avg_spend_per_brand: Decimal
    assets_total: int
    assets_uploaded: int
    assets_avg_views_per_asset: Decimal
    licenses_total: int
    licenses_created: int
    licenses_renewal_rate: Decimal
    licenses_expiring_renewal_rate: Decimal
    revenue_total_cents: int
    revenue_growth_pct: Decimal | None


class PlatformMetrics(Answer):
    """The answer of `platform_metrics`."""

    main_part: ClassVar[str] = "totals"

    period: str
    start: date | None
    end: date
    totals: PlatformTotals
    revenue_timeline: list[RevenueDay]
    notes: list[str]

    def _parts(self) -> dict[str, tuple[type[Row], list[Row]]]:
        return {
            "totals": (PlatformTotals, [self.totals]),
            "revenue_timeline": (RevenueDay, [*self.revenue_timeline]),
        }


class Event(Row):
    """A stored event, without personal data that was removed when it was loaded."""

    event_date: date
    occurred_at: datetime
    received_at: datetime
    event_id: UUID
    event_type: str
    source: str
    is_bot: bool
    actor_id: str | None
    actor_type: str | None
    anonymous_id: str | None
    session_id: UUID | None
    entity_type: str | None
    entity_id: str | None
    ip_asset_id: str | None
    project_id: str | None
    license_id: str | None
    revenue_cents: int | None
    fee_cents: int | None
    engagement_time: Decimal | None
    device_type: str | None
    browser: str | None
    os: str | None
    props: dict[str, Any]


class EntityEvents(Answer):
    """The answer of `entity_events`."""

    main_part: ClassVar[str] = "events"

    entity_id: str
    entity_type: str
    events: list[Event]

    def _parts(self) -> dict[str, tuple[type[Row], list[Row]]]:
        return {"events": (Event, [*self.events])}
