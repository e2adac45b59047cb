"""When the jobs run by themselves."""

import dagster as dg

from orchestration.defs.jobs import daily_refresh

# At 02:00 UTC the day before is whole, and events of its last minutes have had two hours to land.
daily_refresh_schedule = dg.build_schedule_from_partitioned_job(
    daily_refresh,
    name="daily_refresh_schedule",
    hour_of_day=2,
    minute_of_hour=0,
    description="Every night at 02:00 UTC, for the day before.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
