"""Metric queries by name, on the SQL functions of schema marts.

    metrics = Metrics(dsn)
    answer = metrics.asset_metrics("ast_000102", "30d")
    answer.totals.total_views
    answer.to_frame("by_day")

The functions hold the rules; here their JSON becomes models, and their errors exceptions.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from types import TracebackType
from typing import Any, Final, Self, overload

from sqlalchemy import Engine

from reporting.answers import AssetMetrics, BrandCampaigns, CreatorDashboard
from reporting.errors import InvalidDateRange
from reporting.platform_answers import EntityEvents, PlatformMetrics
from reporting.questions import ask, engine_of
from warehouse.roles.readers import BRANDS, CREATORS

Day = date | str
# Answers take milliseconds; a server that needs longer is down or overloaded.
TIMEOUT_SECONDS: Final = 5.0

_ASSET_RANGE: Final = (
    "marts.asset_metrics(cast(:asset_id as text), cast(:start as date), cast(:end as date), :skip_unpublished)"
)
_ASSET_PERIOD: Final = "marts.asset_metrics(cast(:asset_id as text), cast(:period as text))"


class Metrics:
    """Questions to one warehouse, by the login of the DSN. Safe for threads; connections are pooled.

    Every question raises NotFound for an id that does not exist or is not the caller's, InvalidDateRange for a range or
    period without an answer, NotAllowed for a question that the login may not ask, and WarehouseUnavailable where the
    server does not answer within `timeout` seconds.
    """

    def __init__(self, dsn: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._timeout = timeout
        self._engine: Engine = engine_of(dsn, timeout=timeout)
        self._settings: Mapping[str, str] = {}

    def for_creator(self, creator_id: str) -> "Metrics":
        """Return questions on behalf of a creator, for the login `creator_portal`. They share the connections."""
        return self._with({CREATORS.setting: creator_id})

    def for_brand(self, brand_id: str) -> "Metrics":
        """Return questions on behalf of a brand, for the login `brand_portal`. They share the connections."""
        return self._with({BRANDS.setting: brand_id})

    @overload
    def asset_metrics(self, asset_id: str, period: str, /) -> AssetMetrics: ...
    @overload
    def asset_metrics(self, asset_id: str, *, period: str) -> AssetMetrics: ...
    @overload
    def asset_metrics(self, asset_id: str, start: Day, end: Day, *, skip_unpublished: bool = False) -> AssetMetrics: ...
    def asset_metrics(
        self,
        asset_id: str,
        start: Day | None = None,
        end: Day | None = None,
        *,
        period: str | None = None,
        skip_unpublished: bool = False,
    ) -> AssetMetrics:
        """Return totals, top referrers and days of an asset: in a period, or from `start` until before `end`.

        With `skip_unpublished` days that are not published count as nothing, instead of being an error.
        """
        if period is None and end is None:
            period, start = str(start), None
        if period is None:
            parameters = {"asset_id": asset_id, "start": _day(start), "end": _day(end)}
            answer = self._ask(_ASSET_RANGE, {**parameters, "skip_unpublished": skip_unpublished})
        elif start is None and end is None:
            answer = self._ask(_ASSET_PERIOD, {"asset_id": asset_id, "period": period})
        else:
            raise InvalidDateRange("a question has a period, or start and end, and not both")
        return AssetMetrics.model_validate(answer)

    def creator_dashboard(self, creator_id: str, period: str) -> CreatorDashboard:
        """Return summary, top assets, revenue by day and traffic sources of a creator in a period."""
        call = "marts.creator_dashboard(cast(:creator_id as text), cast(:period as text))"
        return CreatorDashboard.model_validate(self._ask(call, {"creator_id": creator_id, "period": period}))

    def brand_campaigns(self, brand_id: str, period: str) -> BrandCampaigns:
        """Return the campaigns of a brand in a period, with their assets."""
        call = "marts.brand_campaigns(cast(:brand_id as text), cast(:period as text))"
        return BrandCampaigns.model_validate(self._ask(call, {"brand_id": brand_id, "period": period}))

    def platform_metrics(self, period: str) -> PlatformMetrics:
        """Return the totals of the whole platform in a period, and its revenue by day."""
        call = "marts.platform_metrics(cast(:period as text))"
        return PlatformMetrics.model_validate(self._ask(call, {"period": period}))

    def entity_events(self, entity_id: str, entity_type: str, limit: int = 100) -> EntityEvents:
        """Return at most `limit` stored events of an entity, newest first. For engineers, as owner.

        Raises ValueError for an unknown type of entity, and for a limit that is not between 1 and 10,000.
        """
        call = "marts.entity_events(cast(:entity_id as text), cast(:entity_type as text), cast(:limit as integer))"
        parameters = {"entity_id": entity_id, "entity_type": entity_type, "limit": limit}
        return EntityEvents.model_validate(self._ask(call, parameters))

    def close(self) -> None:
        """Close the connections, of `for_creator` and `for_brand` too."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """Return these questions, whose connections the block closes."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connections."""
        self.close()

    def _ask(self, call: str, parameters: Mapping[str, object]) -> Any:
        return ask(self._engine, call, parameters, settings=self._settings, timeout=self._timeout)

    def _with(self, settings: Mapping[str, str]) -> "Metrics":
        other = object.__new__(type(self))
        other._timeout, other._engine, other._settings = self._timeout, self._engine, settings
        return other


def _day(value: Day | None) -> date:
    """Return a day; of a moment only midnight is one. Raises InvalidDateRange."""
    try:
        day = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        day = None
    if isinstance(day, datetime):
        day = day.date() if day.time() == time(0) and day.tzinfo is None else None
    if day is None:
        raise InvalidDateRange(f"start and end are days such as 2026-10-01, and {str(value)[:100]!r} is none")
    return day
