"""What the step of dbt makes, as Dagster sees it: the seeds, models and tests of the project, and among them the table
that is fitted. All is one step: one of its own for the fits would cut dbt in two, also where one week is built and dbt
need not stop.
"""

from functools import cache
from typing import Final, NamedTuple

import dagster as dg

from attribution import journeys
from orchestration.dbt import translator as dbt
from orchestration.dbt.light_import import DBT_DEFAULT_SELECT, build_dbt_specs
from publishing import dbt_manifest

# dbt knows it as a source.
VALUES: Final = dg.AssetKey(["intermediate", "attribution_channel_values"])


class Specs(NamedTuple):
    """The assets of a step, and the checks on them."""

    assets: list[dg.AssetSpec]
    checks: list[dg.AssetCheckSpec]


@cache
def specs() -> Specs:
    """What dbt makes of the project as it is when this process first asks, and the values beside it."""
    translator, manifest = dbt.WarehouseDbtTranslator(), dbt_manifest.manifest()
    assets, checks = build_dbt_specs(
        translator=translator,
        manifest=manifest,
        select=DBT_DEFAULT_SELECT,
        exclude="",
        selector="",
        io_manager_key=None,
        project=None,
    )
    [source] = [
        unique_id for unique_id, node in manifest["sources"].items() if translator.get_asset_key(node) == VALUES
    ]
    # The spec of a source carries what dagster_dbt looks for on every asset of its step.
    values = translator.get_asset_spec(manifest, source, None)
    fitted_on = [dg.AssetKey(table) for table in journeys.TABLES]
    return Specs([*assets, values.replace_attributes(deps=fitted_on, kinds={"python", "postgres"})], list(checks))


@cache
def readers_of_values() -> frozenset[dg.AssetKey]:
    """The models that are made from the values."""
    return frozenset(spec.key for spec in specs().assets if VALUES in {parent.asset_key for parent in spec.deps})
