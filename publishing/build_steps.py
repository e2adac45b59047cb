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
from warehouse.single_values import exist
from warehouse.window import Window

# dbt knows the table as a source; with the plus, everything that depends on it.
_CREDITED: Final = f"source:attribution.{VALUES}+"


@dataclass(frozen=True, slots=True)
class Partial:
    """The nodes of dbt that a build makes which leaves out others: models that wait, or that have not changed.

    `credited` are the models by day that depend on the fits; they are built after these. Tests that read a model of
    `left_out` are left out too: its rows are those of another version, or of no version.
    """

    seeds: Set[str]
    by_day: Set[str]
    credited: Set[str]
    rollups: Set[str]
    left_out: Set[str]
    has_fits: bool

    @classmethod
    def of(cls, manifest: Mapping[str, Any], models: Collection[str], left_out: Set[str] = frozenset()) -> "Partial":
        """Return the nodes of these models, with the seeds that nothing else reads: other seeds have not changed.

        Rollups that a changed rollup reads are built with it. Those in schema build may be of a build that was refused,
        or have the rows of some keys only.
        """
        nodes = {
            node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")
        }
        parents = parents_of(manifest)
        readers = {name: {model for model, above in parents.items() if name in above} for name in nodes}
        is_all_but_waiting = nodes.keys() & parents.keys() - left_out <= set(models)
        seeds = {
            name
            for name, node in nodes.items()
            if node["resource_type"] == "seed"
            and readers[name] <= set(models)
            and (readers[name] or is_all_but_waiting)
        }
        made = nodes.keys() & set(models)
        rollups = {name for name in made if scope_of(nodes[name]) is not Scope.DAY}
        above = rollups
        while above:
            above = {
                parent
                for name in above
                for parent in parents[name] & parents.keys() - rollups
                if parent in nodes and scope_of(nodes[parent]) is not Scope.DAY
            }
            rollups |= above
        credited = _descendants(VALUES, parents) & made - rollups
        return cls(
            frozenset(seeds),
            frozenset(made - rollups - credited),
            frozenset(credited),
            frozenset(rollups),
            frozenset(left_out & nodes.keys()),
            VALUES in models,
        )

    @property
    def all(self) -> frozenset[str]:
        """Return the names of all these nodes, and of the table of fitted values if weeks are fitted."""
        return frozenset(
            self.seeds | self.by_day | self.credited | self.rollups | ({VALUES} if self.has_fits else set())
        )

    def options(self, nodes: Set[str], not_yet: Set[str] = frozenset()) -> list[tuple[str, ...]]:
        """Return the options of an invocation for some of the nodes, while others are not built yet; [] for none."""
        if not nodes:
            return []
        excluded = self.left_out | not_yet
        return [
            (
                "--select",
                " ".join(sorted(nodes)),
                *(("--exclude", " ".join(sorted(excluded))) if excluded else ()),
            )
        ]


def _descendants(name: str, parents: Mapping[str, Set[str]]) -> set[str]:
    found: set[str] = set()
    below = {name}
    while below:
        below = {model for model, above in parents.items() if above & below} - found
        found |= below
    return found


def rollup_options(partial: Partial | None) -> tuple[str, ...] | None:
    """Return the options of the invocation that builds the rollups after the last chunk; None if there are none."""
    if partial is None:
        return "--select", scopes.ROLLUP_SELECTOR
    return next(iter(partial.options(partial.rollups)), None)


def selections(chunk: Window, window: Window, partial: Partial | None = None) -> list[tuple[str, ...]]:
    """Return the options of the dbt invocations that build a chunk of the window. Its weeks are fitted before the last.

    A chunk within one week takes a single invocation, since each costs 3 s. A chunk that is the whole window includes
    the rollups; else they follow the last chunk, by an invocation for the window.
    """
    is_whole = chunk == window
    is_within_a_week = len(list(weeks(chunk))) == 1
    if partial is not None:
        rollups = partial.rollups if is_whole else frozenset()
        later = partial.rollups - rollups
        before = partial.seeds | partial.by_day
        after = partial.credited | rollups
        if is_within_a_week or not partial.has_fits:
            return partial.options(before | after, later)
        return [*partial.options(before, partial.credited | partial.rollups), *partial.options(after, later)]
    if is_within_a_week:
        return [() if is_whole else ("--exclude", scopes.ROLLUP_SELECTOR)]
    both = f"{_CREDITED} {scopes.ROLLUP_SELECTOR}"
    credited = ("--select", both) if is_whole else ("--select", _CREDITED, "--exclude", scopes.ROLLUP_SELECTOR)
    return [("--exclude", both), credited]


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
    if not exist(connection, "ops.attribution_fits"):
        return []
    return fitting.refit_outdated(
        connection,
        build_id=build_id,
        model_version=project_version().versions[VALUES],
        log=log,
        on_change=invalidation.mark_refitted,
    )
