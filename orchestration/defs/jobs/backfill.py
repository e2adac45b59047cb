"""Job that runs a range of days in chunks, each loaded, checked, built and published before the next begins."""

import time
from collections.abc import Callable, Set
from datetime import date, timedelta
from typing import Final

import dagster as dg
import psycopg
from pydantic import Field

from orchestration import retries
from orchestration.backfill_progress import Progress
from orchestration.dbt import code_changes
from orchestration.defs.resources import WarehouseResource
from orchestration.instance import started_runs
from orchestration.run_windows import UNLOADABLE_DAY
from publishing import backfill_plan, dbt_manifest
from warehouse import retention
from warehouse.settings import settings
from warehouse.window import Window

# A later chunk can make an earlier day stale, such as by an event that arrived weeks late. Such a day is run once more.
_MAX_PASSES: Final = 3
# Phones without a connection keep events for days. Each chunk also loads the five landing days after it, so that its
# days are whole when they are published. Without, 30 days in chunks of 10 were published 7 times (2026-11).
# More days would only delay the first publication.
_LANDING_DAYS_AFTER: Final = timedelta(days=5)


class BackfillDays(dg.Config):
    """Event days, the end exclusive."""

    start: str = Field("", description="The first day, YYYY-MM-DD; required")
    end: str = Field("", description="The day after the last one, YYYY-MM-DD: for one day, the day after it; required")


@dg.op(out=dg.Out(dg.Nothing))
def backfill_op(context: dg.OpExecutionContext, config: BackfillDays, warehouse: WarehouseResource) -> None:
    """Run the days that are not published or stale, oldest first, in chunks of WAREHOUSE_CHUNK_DAYS days."""
    try:
        window = Window.parse(config.start, config.end)
    except ValueError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    with warehouse.connect() as connection:
        code_changes.apply_where_set(connection)
        with retries.as_dagster_failure(retention.SealedDays):
            unsealed = retention.require_unsealed(window, retention.sealed_before(connection))
    if unsealed != window:
        context.log.warning(retention.sealed_part_in_words(window, unsealed))

    def chunks_without(connection: psycopg.Connection, held: Set[date]) -> list[Window]:
        return backfill_plan.chunks(
            connection,
            unsealed,
            project=dbt_manifest.project_version(),
            at_most=settings().warehouse_chunk_days,
            besides=held,
        )

    has_run, held = run_chunks(context, warehouse, chunks_without, last_landing_end=unsealed.end)
    if not has_run:
        context.log.info(f"every day of {unsealed} is published and none is stale: nothing to do")
    if held:
        raise dg.Failure(
            f"{len(held)} days of {unsealed} are not published, all others are: {', '.join(map(str, sorted(held)))}."
            " Their runs say why; correct that, and run this job again",
            allow_retries=False,
        )


def run_chunks(
    context: dg.OpExecutionContext,
    warehouse: WarehouseResource,
    chunks_without: Callable[[psycopg.Connection, Set[date]], list[Window]],
    *,
    last_landing_end: date | None = None,
) -> tuple[bool, set[date]]:
    """Run chunks until none is left, and log the progress. The metadata of the op has the totals.

    `chunks_without` returns the chunks that are to run now, oldest first, without days that are held back. Landing days
    after a chunk are loaded with it, up to `last_landing_end`; none by default. Returns whether there was a chunk to
    run, and the days that are held back.
    """
    held: set[date] = set()
    progress: Progress | None = None
    for _ in range(_MAX_PASSES):
        with warehouse.connect() as connection:
            chunks = chunks_without(connection, held)
        if not chunks:
            break
        progress = progress or Progress(sum(map(len, chunks)), time.monotonic())
        for chunk in chunks:
            landing_end = min(chunk.end + _LANDING_DAYS_AFTER, last_landing_end) if last_landing_end else None
            held |= _run_chunk(context, warehouse, chunk, landing_end=landing_end)
            with warehouse.connect() as connection:
                events = backfill_plan.stored_events(connection, chunk)
            progress.add(len(chunk), events, time.monotonic())
            context.log.info(f"{chunk}: {progress}")
    if progress:
        context.add_output_metadata({**progress.metadata, "days_held_back": sorted(map(str, held))})
    return progress is not None, held


def _run_chunk(
    context: dg.OpExecutionContext, warehouse: WarehouseResource, chunk: Window, *, landing_end: date | None
) -> set[date]:
    """Run daily_refresh for a chunk. A day that is refused is held back, and the rest of the chunk run without it.

    Landing days up to `landing_end` are loaded with it. Return the days that are held back. Raises Failure when a run
    fails without a day that a check or a file names.
    """
    held: set[date] = set()
    waiting = [chunk]
    while waiting:
        window = waiting.pop(0)
        is_success, refused = _run(context, window, landing_end)
        if is_success:
            continue
        with warehouse.connect() as connection:
            refused |= backfill_plan.days_to_hold_back(connection, window)
        if len(window) > 1 and refused.issuperset(window.days()):
            # A test of dbt does not say on which days it fails.
            context.log.warning(f"{window}: a check refuses all days together, so each is run by itself")
            waiting[:0] = map(Window.day, window.days())
            continue
        if not refused and window == chunk:
            raise dg.Failure(
                f"the run of {chunk} has failed, and no day of it was refused; days before it are published. Its own"
                " log says why. Run this job again: it goes on with this chunk",
                allow_retries=False,
            )
        held |= refused or set(window.days())
        waiting[:0] = backfill_plan.without(window, held)
        context.log.warning(f"{window}: {', '.join(map(str, sorted(refused)))} held back, other days are run without")
    return held


def _run(context: dg.OpExecutionContext, window: Window, landing_end: date | None) -> tuple[bool, set[date]]:
    """Run daily_refresh for a window in this process.

    Return whether it succeeded, and the landing day of a file that could not be loaded.
    """
    context.log.info(f"{window}: running")
    result = started_runs.run_days(context, window, landing_end=landing_end)
    failures = [event.step_failure_data.user_failure_data for event in result.all_events if event.is_step_failure]
    found = [failure.metadata.get(UNLOADABLE_DAY) for failure in failures if failure]
    return result.success, {date.fromisoformat(str(day.value)) for day in found if day}


@dg.job(
    description=(
        "Runs a range of days in chunks of WAREHOUSE_CHUNK_DAYS days, oldest first. Each chunk is loaded, checked,"
        " built and published by a run of daily_refresh of its own. Days that are published and not stale are left out,"
        " so a job that died or was cancelled goes on where it ended. A day that a check refuses, or whose files cannot"
        " be loaded, is held back alone."
    )
)
def backfill() -> None:
    backfill_op()
