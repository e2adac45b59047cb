"""What starts a run when something has happened."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from ingestion.landing.files import recent_files
from ingestion.window import ONE_DAY, Window
from orchestration import arrivals, staleness
from orchestration import dbt as project
from orchestration.defs.dbt_assets import BACKFILL_CHUNK_DAYS
from orchestration.defs.jobs import daily_refresh, load_landing
from orchestration.defs.resources import SourcesResource, WarehouseResource
from orchestration.partitions import NIGHTLY_HOUR, run_tags

UNDER_WAY: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(job=daily_refresh, minimum_interval_seconds=300, default_status=dg.DefaultSensorStatus.RUNNING)
def late_events_sensor(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Runs stale days again, in as few runs as they have gaps: late events, corrected files, changed models. Days that
    a check refuses are run apart, so that they hold up no others. A day that stays stale is tried again every hour."""
    now = datetime.now(UTC)
    if context.instance.get_runs(dg.RunsFilter(job_name=daily_refresh.name, statuses=UNDER_WAY), limit=1):
        yield dg.SkipReason("a run is under way, and may make days good")
        return
    version = project.model_version()
    # Until the nightly run has begun, yesterday is not whole.
    before = (now - timedelta(hours=NIGHTLY_HOUR)).date()
    with warehouse.connect() as connection:
        stale = staleness.stale_days(connection, model_version=version, before=before)
        refused = staleness.refused_days(connection)
    if not stale:
        yield dg.SkipReason("no day is stale")
    for window in staleness.runs((day.event_date for day in stale), apart=refused, at_most=BACKFILL_CHUNK_DAYS):
        days = [day for day in stale if day.event_date in window]
        yield dg.RunRequest(
            # One run an hour for one state of affairs: a day that becomes stale again has a later change.
            run_key=f"{window} {max(day.change_id for day in days)} {version} {now:%Y-%m-%dT%H}",
            tags={
                **run_tags(window),
                "stale_because": ",".join(sorted({reason for day in days for reason in day.reasons})),
            },
        )


@dg.sensor(
    jobs=[daily_refresh, load_landing], minimum_interval_seconds=120, default_status=dg.DefaultSensorStatus.RUNNING
)
def landing_files_sensor(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource, sources: SourcesResource
) -> dg.SensorResult | dg.SkipReason:
    """Runs the days of landing files that are new or have changed since they were loaded; days that the nightly run
    has not reached are only loaded. Looks at the latest eight landing days."""
    now = datetime.now(UTC)
    days = arrivals.watched(now, sources.first_day)
    if days is None:
        return dg.SkipReason("the warehouse's first day has not come")
    with warehouse.connect() as connection:
        loaded = arrivals.loaded_files(connection, days)
    found = recent_files(sources.event_root, days)
    decided = arrivals.decide(found, loaded, arrivals.parse(context.cursor), now)
    requests = [
        dg.RunRequest(run_key=f"landing {key}", job_name=daily_refresh.name, tags=run_tags(window))
        for window, key in decided.refresh
    ]
    yesterday = now.date() - ONE_DAY
    # On the first day of all there is no partition to load it by; the nightly run does.
    if decided.load and yesterday >= sources.first_day:
        window = Window.day(yesterday)
        requests.append(
            dg.RunRequest(run_key=f"load {decided.load}", job_name=load_landing.name, tags=run_tags(window))
        )
    reason = f"{len(decided.waiting)} files wait" if decided.waiting else "every landing file is loaded"
    return dg.SensorResult(
        run_requests=requests, cursor=arrivals.dump(decided.waiting), skip_reason=None if requests else reason
    )
