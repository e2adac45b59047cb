"""Results of dbt's assets that a partial build leaves as they are."""

from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg

from orchestration.dbt import specs
from publishing.build_steps import Partial


def results(partial: Partial, *, is_below: bool) -> Iterator[dg.MaterializeResult[Any]]:
    """Yield results of the assets that keep their rows: what is downstream of them has to be done all the same.

    Dagster takes a result after those of the asset's parents. Assets below one that is built therefore have theirs
    after the build (`is_below`): models that wait, and readers of a rollup that another model needs built again.
    """
    parents = {spec.key: {dep.asset_key for dep in spec.deps} for spec in specs.specs().assets}
    built = {key for key in parents if key.path[-1] in partial.all}
    below: set[dg.AssetKey] = set()
    for key in TopologicalSorter(parents).static_order():
        if key in parents and parents[key] & (built | below):
            below.add(key)
        if key in parents and key not in built and (key in below) == is_below:
            waits = {"waits_for_plan": True} if key.path[-1] in partial.left_out else {}
            yield dg.MaterializeResult(asset_key=key, metadata={"unchanged": True, **waits})
