"""The course of a build: what dbt builds of a window in which invocation, and between them the attribution fits.

How a week is fitted is in package attribution. A fit reads the days before its Monday, and the credits of the week read
the fit, so within a chunk of several weeks dbt has to stop in between. Marts that are coarser than a day are built when
all chunks of the window are: they read its days in schema build, and no others there.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import psycopg

from attribution import fitting
from attribution.weeks import weeks
from publishing import invalidation, scopes
from publishing.dbt_manifest import model_version
from warehouse.window import Window

# dbt knows the table as a source; with the plus, everything that depends on it.
_CREDITED: Final = "source:attribution.attribution_channel_values+"
# The options of the invocations for which a chunk is not the whole window.
ROLLUP_OPTIONS: Final = ("--select", scopes.ROLLUP_SELECTOR)


def selections(chunk: Window, window: Window) -> list[tuple[str, ...]]:
    """The options of the invocations of dbt that build a chunk of the window; its weeks are fitted before the last one.

    Within one week that is the only one: an invocation costs 3 s. With a chunk that is the whole window come the marts
    that are coarser than a day; else they follow the last chunk, by an invocation for the window.
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
    """Fit the weeks of a chunk of the window that have no fit, or one that saw what this build has changed since."""
    invalidation.spread(connection, window, is_built=False)
    return fitting.fit_missing(
        connection,
        chunk,
        build_id=build_id,
        model_version=model_version(),
        log=log,
        on_change=partial(invalidation.mark_refitted, besides=window),
    )


def refit(connection: psycopg.Connection, *, build_id: str, log: Callable[[str], None]) -> list[fitting.Fit]:
    """Fit the weeks anew that saw what a build has changed, when all of its models are built. Days that were credited
    by other values become stale; a fit that comes out the same makes nothing stale."""
    exists = connection.execute("select to_regclass('ops.attribution_fits') is not null").fetchone()
    if not exists or not exists[0]:
        return []
    return fitting.refit_outdated(
        connection,
        build_id=build_id,
        model_version=model_version(),
        log=log,
        on_change=invalidation.mark_refitted,
    )
