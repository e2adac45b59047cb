"""Steps of a build: the invocations of dbt for a window, and the attribution fits between them.

Package attribution fits a week. A fit reads the days before its Monday, and the credits of the week read the fit.
Within a chunk of several weeks dbt therefore stops in between. Rollups are built after all chunks of the window: in
schema build they read its days and no others.
"""

from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import psycopg

from attribution import fitting
from attribution.weeks import weeks
from publishing import invalidation, scopes
from publishing.dbt_manifest import VALUES, parents_of, project_version
from publishing.scopes import Scope, scope_of
from warehouse.window import Window

# dbt knows the table as a source; with the plus, everything that depends on it.
_CREDITED: Final = f"source:attribution.{VALUES}+"


@dataclass(frozen=True, slots=True)
class Changed:
    """The nodes of dbt that a build makes of a window of which nothing but models has changed.

    No fit is among what they read: a change of fits, or of what they read, makes a build of all models.
    """

    seeds: Set[str]
    by_day: Set[str]
    rollups: Set[str]

    @classmethod
    def of(cls, manifest: Mapping[str, Any], models: Collection[str]) -> "Changed":
        """Return the nodes of these models, with the seeds that nothing else reads: other seeds have not changed."""
        nodes = {
            node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")
        }
        parents = parents_of(manifest)
        read = {parent for name in models for parent in parents[name]}
        read_by_others = {parent for name in parents.keys() - set(models) for parent in parents[name]}
        seeds = {name for name in read - read_by_others if name in nodes and nodes[name]["resource_type"] == "seed"}
        rollups = {name for name in models if scope_of(nodes[name]) is not Scope.DAY}
        return cls(frozenset(seeds), frozenset(models) - rollups, frozenset(rollups))

    @property
    def all(self) -> frozenset[str]:
        """Return the names of all these nodes."""
        return frozenset(self.seeds | self.by_day | self.rollups)


def rollup_options(changed: Changed | None) -> tuple[str, ...] | None:
    """Return the options of the invocation that builds the rollups after the last chunk; None if there are none."""
    if changed is None:
        return "--select", scopes.ROLLUP_SELECTOR
    return ("--select", " ".join(sorted(changed.rollups))) if changed.rollups else None


def selections(chunk: Window, window: Window, changed: Changed | None = None) -> list[tuple[str, ...]]:
    """Return the options of the dbt invocations that build a chunk of the window. Its weeks are fitted before the last.

    A chunk within one week takes a single invocation, since each costs 3 s. A chunk that is the whole window includes
    the rollups; else they follow the last chunk, by an invocation for the window.
    """
    is_whole = chunk == window
    if changed is not None:
        nodes = changed.all if is_whole else changed.seeds | changed.by_day
        return [("--select", " ".join(sorted(nodes)))] if nodes else []
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
        model_version=project_version().versions[VALUES],
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
        model_version=project_version().versions[VALUES],
        log=log,
        on_change=invalidation.mark_refitted,
    )
