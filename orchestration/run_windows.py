"""Windows and Dagster's runs: the window that a run covers, and the tags that make a run cover a window."""

from datetime import date
from typing import Final

import dagster as dg
import psycopg

from warehouse import retention
from warehouse.window import ONE_DAY, Window

_RANGE_START: Final = "dagster/asset_partition_range_start"
_RANGE_END: Final = "dagster/asset_partition_range_end"
# A run loads landing days up to this one, exclusive, beside its own.
_LANDING_END: Final = "warehouse/landing_end"
# The job of the whole chain, for the days of a window.
REFRESH: Final = "daily_refresh"
# In the descriptions of assets, which a person reads before launching a run.
ALONE: Final = (
    f"Materializing it alone runs the whole chain (job `{REFRESH}`) for the chosen days, since days are built, checked"
    " and published as a whole."
)
# A run that another run has started names it.
STARTED_BY: Final = "warehouse/backfill"
# Metadata of a failed load: the landing day of the file that could not be used.
UNLOADABLE_DAY: Final = "unloadable_landing_day"
# A run for days carries one of these.
DAYS_TAGS: Final = frozenset({"dagster/partition", _RANGE_START})


def window_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Window:
    """Return the days of a run: one partition, or the range of a backfill. Raises Failure when the run has none."""
    if not DAYS_TAGS.intersection(context.run.tags):
        raise dg.Failure(
            "this run was started without days, so there is nothing to check or build. Checks are run together with"
            " their assets: materialize partitions of these, or launch job daily_refresh for them",
            allow_retries=False,
        )
    days = context.partition_time_window
    return Window(days.start.date(), days.end.date())


def unsealed_window_of(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, connection: psycopg.Connection
) -> Window:
    """Return the days of a run that are not sealed, and log those that are. Raises Failure when all of them are."""
    window = window_of(context)
    first_unsealed = retention.sealed_before(connection)
    try:
        rest = retention.require_unsealed(window, first_unsealed)
    except retention.SealedDays as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    if rest != window:
        context.log.warning(retention.sealed_part_in_words(window, rest))
    return rest


def landing_days_after(context: dg.AssetExecutionContext) -> Window:
    """Return the landing days that a run loads after its own: the next day, and more where a tag says so."""
    end = window_of(context).end
    last_end = context.run.tags.get(_LANDING_END, "")
    return Window(end, max(end + ONE_DAY, date.fromisoformat(last_end) if last_end else end))


def run_tags(window: Window, *, landing_end: date | None = None) -> dict[str, str]:
    """Return the tags that make one run cover a window, and load landing days up to `landing_end`, exclusive."""
    *_, last = window.days()
    tags = {_RANGE_START: window.start.isoformat(), _RANGE_END: last.isoformat()}
    return tags | ({_LANDING_END: landing_end.isoformat()} if landing_end else {})
