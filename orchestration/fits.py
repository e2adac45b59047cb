"""The place of the attribution fits in a build: what dbt builds before them and after, and when weeks are fitted.

How a week is fitted is in package attribution. A fit reads the days before its Monday, and the credits of the week read
the fit, so within a chunk of several weeks dbt has to stop in between.
"""

from collections.abc import Callable
from typing import Final

import psycopg

from attribution import fitting
from attribution.weeks import weeks
from ingestion.window import Window
from orchestration import lookbacks
from orchestration.dbt import model_version

# dbt knows the table as a source; with the plus, everything that depends on it.
_CREDITED: Final = "source:attribution.attribution_channel_values+"
BEFORE: Final = ("--exclude", _CREDITED)
AFTER: Final = ("--select", _CREDITED)


def selections(chunk: Window) -> list[tuple[str, ...]]:
    """The options of the invocations of dbt that build a chunk; its weeks are fitted before the last one.

    Within one week that is the only one: an invocation costs 3 s.
    """
    return [()] if len(list(weeks(chunk))) == 1 else [BEFORE, AFTER]


def fit(
    connection: psycopg.Connection, window: Window, chunk: Window, *, build_id: str, log: Callable[[str], None]
) -> list[fitting.Fit]:
    """Fit the weeks of a chunk of the window that have no fit, or one that saw what this build has changed since."""
    lookbacks.spread(connection, window, is_built=False)
    return fitting.fit_missing(connection, chunk, build_id=build_id, model_version=model_version(), log=log)
