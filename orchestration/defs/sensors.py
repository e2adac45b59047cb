"""What starts a run when something has happened."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from orchestration import dbt as project
from orchestration import staleness
from orchestration.defs.jobs import daily_refresh
from orchestration.defs.resources import WarehouseResource
from orchestration.partitions import run_tags


@dg.sensor(job=daily_refresh, minimum_interval_seconds=300, default_status=dg.DefaultSensorStatus.RUNNING)
def late_events_sensor(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Runs stale days again, in as few runs as they have gaps: late events, corrected files, changed models."""
    version = project.model_version()
    with warehouse.connect() as connection:
        stale = staleness.stale_days(connection, model_version=version, before=datetime.now(UTC).date())
    if not stale:
        yield dg.SkipReason("no day is stale")
    for window in staleness.windows(day.event_date for day in stale):
        days = [day for day in stale if day.event_date in window]
        yield dg.RunRequest(
            # One run for one state of affairs: a day that becomes stale again has a later change or another version.
            run_key=f"{window} {max(day.change_id for day in days)} {version}",
            tags={
                **run_tags(window),
                "stale_because": ",".join(sorted({reason for day in days for reason in day.reasons})),
            },
        )
