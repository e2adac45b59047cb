"""The stored columns of a valid event as Python objects."""

from decimal import Decimal
from typing import Any

from ingestion.attribution_table import ATTRIBUTION_COLUMN_NAMES
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.timestamps import from_microseconds


def values_of(event: ValidEvent) -> tuple[Any, ...]:
    """Return the stored values of an event, in the order of schema.CANDIDATE_COLUMN_NAMES."""
    kind = event.kind
    milliseconds = event.engagement_milliseconds
    return (
        event.event_date,
        event.event_key,
        event.event_id,
        kind.event_type,
        from_microseconds(event.occurred_at),
        from_microseconds(event.received_at),
        kind.source,
        event.actor_id,
        kind.actor_type,
        event.anonymous_id,
        event.session_id,
        kind.entity_type,
        event.entity_id,
        event.ip_asset_id,
        event.project_id,
        event.license_id,
        event.revenue_cents,
        event.fee_cents,
        None if milliseconds is None else Decimal(milliseconds).scaleb(-3),
        event.props.decode(),
        *event.device,
        event.canonical_hash,
        *(event.attribution or (None,) * len(ATTRIBUTION_COLUMN_NAMES)),
    )
