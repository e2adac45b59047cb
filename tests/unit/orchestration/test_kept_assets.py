"""Results of a partial build: Dagster takes each after those of the asset's parents."""

from graphlib import TopologicalSorter

import pytest

from orchestration.dbt import kept_assets, specs
from publishing import dbt_manifest
from publishing.build_steps import Partial
from publishing.dbt_manifest import parents_of

PARENTS = parents_of(dbt_manifest.manifest())
MODELS = sorted(node["name"] for node in dbt_manifest.manifest()["nodes"].values() if node["resource_type"] == "model")


def with_descendants(model: str) -> set[str]:
    found, below = {model}, {model}
    while below:
        below = {name for name, parents in PARENTS.items() if parents & below} - found
        found |= below
    return found


@pytest.mark.parametrize("model", MODELS)
def test_results_of_a_changed_model_follow_those_of_its_parents(model: str) -> None:
    partial = Partial.of(dbt_manifest.manifest(), with_descendants(model))
    parents = {spec.key: {dep.asset_key for dep in spec.deps} for spec in specs.specs().assets}
    before = [result.asset_key for result in kept_assets.results(partial, is_below=False)]
    built = [key for key in TopologicalSorter(parents).static_order() if key in parents and key.path[-1] in partial.all]
    after = [result.asset_key for result in kept_assets.results(partial, is_below=True)]
    order = {key: place for place, key in enumerate([*before, *built, *after])}
    assert order.keys() == parents.keys()
    assert [key for key in order for parent in parents[key] & order.keys() if order[parent] > order[key]] == []
