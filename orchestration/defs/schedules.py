"""When the jobs run by themselves."""

import dagster as dg

from orchestration.defs.jobs.asset_jobs import daily_refresh
from warehouse.window import NIGHTLY_HOUR

daily_refresh_schedule = dg.build_schedule_from_partitioned_job(
    daily_refresh,
    name="daily_refresh_schedule",
    hour_of_day=NIGHTLY_HOUR,
    minute_of_hour=0,
    description="Every night at 02:00 UTC, for the day before.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
