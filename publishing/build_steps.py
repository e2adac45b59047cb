"""Steps of a build: the invocations of dbt for a window, and the attribution fits between them.

Package attribution fits a week. A fit reads the days before its Monday, and the credits of the week read the fit.
Within a chunk of several weeks dbt therefore stops in between. Rollups are built after all chunks of the window: in
schema build they read its days and no others.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import psycopg

from attribution import fitting
from attribution.weeks import weeks
from publishing import invalidation, scopes
from publishing.dbt_manifest import VALUES, versions
from warehouse.window import Window

# dbt knows the table as a source; with the plus, everything that depends on it.
_CREDITED: Final = "source:attribution.attribution_channel_values+"
# The options of the invocation that builds the rollups after the last chunk.
ROLLUP_OPTIONS: Final = ("--select", scopes.ROLLUP_SELECTOR)


def selections(chunk: Window, window: Window) -> list[tuple[str, ...]]:
    """Return the options of the dbt invocations that build a chunk of the window. Its weeks are fitted before the last.

    A chunk within one week takes a single invocation, since each costs 3 s. A chunk that is the whole window includes
    the rollups; else they follow the last chunk, by an invocation for the window.
    """
    is_whole = chunk == window
    if len(list(weeks(chunk))) == 1:
        return [() if is_whole else ("--exclude", scopes.ROLLUP_SELECTOR)]
    both = f"{_CREDITED} {scopes.ROLLUP_SELECTOR}"
    after = ("--select", both) if is_whole else ("--select", _CREDITED, "--exclude", scopes.ROLLUP_SELECTOR)
    return [("--exclude", both), after]


def fit(
    connection: psycopg.Connection, window: Window, chunk: Window, *, build_id: str, log: Callable[[str], None]
) -> list[fitting.Fit]:
    """Fit the weeks of a chunk of the window that have no fit, or an outdated one."""
    invalidation.invalidate_lookbacks(connection, window)
    return fitting.fit_missing(
        connection,
        chunk,
        build_id=build_id,
        model_version=versions()[VALUES],
        log=log,
        on_change=partial(invalidation.mark_refitted, besides=window),
    )


def refit(connection: psycopg.Connection, *, build_id: str, log: Callable[[str], None]) -> list[fitting.Fit]:
    """Fit weeks again whose fit a build has outdated, when all of its models are built.

    Days that were credited by other values become stale; a fit with the same values makes nothing stale.
    """
    exists = connection.execute("select to_regclass('ops.attribution_fits') is not null").fetchone()
    if not exists or not exists[0]:
        return []
    return fitting.refit_outdated(
        connection,
        build_id=build_id,
        model_version=versions()[VALUES],
        log=log,
        on_change=invalidation.mark_refitted,
    )
