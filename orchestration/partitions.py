"""The daily partitions, and the way from a Dagster context to a Window."""

from datetime import date
from typing import Final, Protocol

import dagster as dg

from ingestion.window import Window

# The hour, UTC, at which the day before is run: it is whole, and events of its last minutes have had time to land.
NIGHTLY_HOUR: Final = 2


class PartitionContext(Protocol):
    """What a run tells of its partitions; asset, op and check contexts all do."""

    @property
    def partition_time_window(self) -> dg.TimeWindow: ...


def daily_partitions(start: date) -> dg.DailyPartitionsDefinition:
    """One partition per whole UTC day from `start` to yesterday."""
    return dg.DailyPartitionsDefinition(start_date=start.isoformat(), timezone="UTC")


def window_of(context: PartitionContext) -> Window:
    """The days of a run: one partition, or the whole range of a backfill."""
    days = context.partition_time_window
    return Window(days.start.date(), days.end.date())


def run_tags(window: Window) -> dict[str, str]:
    """The tags that make one run cover a window."""
    *_, last = window.days()
    return {
        "dagster/asset_partition_range_start": window.start.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }
