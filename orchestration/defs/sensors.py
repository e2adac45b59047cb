"""Sensors: runs for stale days and for landing files that have arrived."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from orchestration import landing_backlog, landing_sensor
from orchestration.dbt import code_changes
from orchestration.defs.jobs.apply_plan import Strategy, apply_plan
from orchestration.defs.jobs.daily_refresh import daily_refresh, load_landing
from orchestration.defs.resources import SourcesResource, WarehouseResource
from orchestration.run_windows import run_tags
from publishing import applied_models, change_plan, dbt_manifest, loaded_version, stale_days
from warehouse.settings import settings
from warehouse.window import NIGHTLY_HOUR, ONE_DAY, Window


@dg.sensor(
    jobs=[daily_refresh, apply_plan],
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Runs stale days again, in as few runs as they have gaps: late events, corrected files, changed models, runs"
        " that died, files that no run has loaded. ops.stale_days names the days and why. A day that fails a check, or"
        " whose files cannot be loaded, is run apart from the others. A day that stays stale is tried once an hour."
        " Changed models make no day stale before `warehouse plan --apply`; the sensor says that a plan waits. When"
        " every day has the new versions, it asks for the run that publishes them."
    ),
)
def stale_days_sensor(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for runs of the stale days."""
    now = datetime.now(UTC)
    try:
        loaded_version.assert_code_unchanged()
    except loaded_version.CheckoutChanged as error:
        yield dg.SkipReason(str(error))
        return
    if context.instance.get_runs(dg.RunsFilter(job_name=daily_refresh.name, statuses=NOT_FINISHED_STATUSES), limit=1):
        yield dg.SkipReason("a run of daily_refresh is active: its days may no longer be stale when it ends")
        return
    if context.instance.get_runs(dg.RunsFilter(job_name=apply_plan.name, statuses=NOT_FINISHED_STATUSES), limit=1):
        yield dg.SkipReason("a run of apply_plan is active, which runs stale days itself")
        return
    project = dbt_manifest.project_version()
    # Until the nightly run has begun, yesterday is not whole.
    before = (now - timedelta(hours=NIGHTLY_HOUR)).date()
    with warehouse.connect() as connection:
        code_changes.apply_where_set(connection)
        waiting = applied_models.waiting_models(connection, project)
        stale = stale_days.stale_days(connection, project=project, before=before)
        apart = stale_days.refused_days(connection) | stale_days.waiting_days(connection)
        plan = change_plan.progress(connection, project)
    # The days of a plan are asked for at once, also when they have just been run without it.
    version = f"plan {project.digest}" if plan else project.digest
    if plan and plan.is_ready:
        yield dg.RunRequest(
            run_key=f"swap {project.digest} {now:%Y-%m-%dT%H}",
            job_name=apply_plan.name,
            run_config={"ops": {"apply_plan_op": {"config": {"strategy": Strategy.GO_ON.name}}}},
        )
    elif not stale:
        yield dg.SkipReason(f"no day is stale; {code_changes.sentence(waiting)}" if waiting else "no day is stale")
    for window in stale_days.plan_windows(
        (day.event_date for day in stale), apart=apart, at_most=settings().warehouse_chunk_days
    ):
        days = [day for day in stale if day.event_date in window]
        yield dg.RunRequest(
            # At most one run an hour for one state. A day that becomes stale again has a later change.
            job_name=daily_refresh.name,
            run_key=f"{window} {max(day.change_id for day in days)} {version} {now:%Y-%m-%dT%H}",
            tags={
                **run_tags(window),
                "stale_because": ",".join(sorted({reason for day in days for reason in day.reasons})),
                **({"warehouse/plan_waits": f"{len(waiting)} models"} if waiting else {}),
            },
        )


@dg.sensor(
    jobs=[daily_refresh, load_landing],
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Runs the days of landing files that are new or have changed since they were loaded; days that the nightly run"
        " has not reached are only loaded. Looks at the latest eight landing days each time, and at eight older ones in"
        " turn. A file that was only touched runs nothing. ops.waiting_files says why a file waits, and what to do."
    ),
)
def landing_files_sensor(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource, sources: SourcesResource
) -> dg.SensorResult | dg.SkipReason:
    """Ask for runs of landing days with files that are not loaded."""
    now = datetime.now(UTC)
    days = landing_sensor.watched_window(now, sources.first_day)
    if days is None:
        return dg.SkipReason("the warehouse's first day has not come")
    try:
        loaded_version.assert_code_unchanged()
    except loaded_version.CheckoutChanged as error:
        return dg.SkipReason(str(error))
    before = landing_sensor.SensorState.parse(context.cursor)
    with warehouse.connect() as connection:
        looked = landing_backlog.look_at(connection, sources.event_root, days, sources.first_day, before)
        plan = landing_sensor.plan_runs(looked.found, before, now)
        reason_of = partial(landing_backlog.reason_from_runs, context.instance)
        sentences = landing_backlog.record_waiting(connection, looked.found, plan.memory.requests, reason_of)
    requests = [
        dg.RunRequest(run_key=key, job_name=daily_refresh.name, tags=run_tags(window)) for window, key in plan.refresh
    ]
    yesterday = now.date() - ONE_DAY
    # On the first day of all there is no partition to load it by; the nightly run does.
    if plan.load and yesterday >= sources.first_day:
        requests.append(
            dg.RunRequest(run_key=plan.load, job_name=load_landing.name, tags=run_tags(Window.day(yesterday)))
        )
    waiting = len(plan.memory.waiting)
    reason = " | ".join([f"{waiting} files wait" if waiting else "every landing file is loaded", *sentences])
    return dg.SensorResult(
        run_requests=requests,
        cursor=replace(plan.memory, older=looked.older, compared=looked.compared).dump(),
        skip_reason=None if requests else reason,
    )
