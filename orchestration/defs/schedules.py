"""Schedules: the nightly run of daily_refresh, then retention and the deletion of old run history."""

import dagster as dg

from orchestration.defs.jobs.apply_retention import apply_retention
from orchestration.defs.jobs.daily_refresh import daily_refresh
from orchestration.defs.jobs.prune_run_history import prune_run_history
from warehouse.window import NIGHTLY_HOUR

daily_refresh_schedule = dg.build_schedule_from_partitioned_job(
    daily_refresh,
    name="daily_refresh_schedule",
    hour_of_day=NIGHTLY_HOUR,
    minute_of_hour=0,
    description="Every night at 02:00 UTC, for the day before.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

# After the nightly run, which begins at 02:00 UTC.
prune_run_history_schedule = dg.ScheduleDefinition(
    job=prune_run_history,
    cron_schedule="30 4 * * *",
    execution_timezone="UTC",
    description="Every night at 04:30 UTC.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

apply_retention_schedule = dg.ScheduleDefinition(
    job=apply_retention,
    cron_schedule="0 5 * * *",
    execution_timezone="UTC",
    description="Every night at 05:00 UTC. Without WAREHOUSE_RETENTION_DAYS it does nothing.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
