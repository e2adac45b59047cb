"""Tracker for producers: Python services send events to the warehouse through landing files.

    writer = LandingWriter("/srv/landing", producer="shop")
    with Tracker(writer) as tracker:
        tracker.track("asset_viewed", TrackingContext(source="web", anonymous_id="..."), entity_type="asset", ...)

It needs only the contract and a landing folder, and no connection to the warehouse.
"""

from ingestion.tracking.attribution import attribution_of
from ingestion.tracking.context import TrackingContext, actor_type_of
from ingestion.tracking.landing_writer import LandingWriter
from ingestion.tracking.results import Tracked, TrackedBatch
from ingestion.tracking.sink import Sink
from ingestion.tracking.tracker import Tracker

__all__ = [
    "LandingWriter",
    "Sink",
    "Tracked",
    "TrackedBatch",
    "Tracker",
    "TrackingContext",
    "actor_type_of",
    "attribution_of",
]
