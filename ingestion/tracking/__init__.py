"""The tracker for producers: Python services that tell the warehouse what happened, by way of landing files.

    writer = LandingWriter("/srv/landing", producer="shop")
    with Tracker(writer) as tracker:
        tracker.track("asset_viewed", TrackingContext(source="web", anonymous_id="..."), entity_type="asset", ...)

It knows the contract and the layout of the landing folder, and nothing of the warehouse behind them.
"""

from ingestion.tracking.attribution import attribution_of
from ingestion.tracking.context import TrackingContext, actor_type_of
from ingestion.tracking.landing_writer import LandingWriter
from ingestion.tracking.tracker import Sink, Tracked, TrackedBatch, Tracker

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
