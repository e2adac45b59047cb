"""Asset and check specs of the dbt step: seeds, models, tests, and the table of fitted channel values.

All are one step. A step of its own for the fits would split dbt in two, also where dbt need not stop for a single week.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

import dagster as dg

from attribution import journeys
from orchestration.dbt import translator as dbt
from orchestration.dbt.check_names import with_short_names
from orchestration.dbt.light_import import DBT_DEFAULT_SELECT, build_dbt_specs
from publishing import dbt_manifest

# dbt knows it as a source.
VALUES: Final = dg.AssetKey(["intermediate", dbt_manifest.VALUES])


class Specs(NamedTuple):
    """Specs of the step's assets and checks."""

    assets: list[dg.AssetSpec]
    checks: list[dg.AssetCheckSpec]


@cache
def specs() -> Specs:
    """Return the specs of the project as this process loaded it, with the fitted values."""
    translator, manifest = dbt.WarehouseDbtTranslator(), with_short_names(dbt_manifest.manifest())
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
    """Return the models that read the fitted values."""
    return frozenset(spec.key for spec in specs().assets if VALUES in {parent.asset_key for parent in spec.deps})


def test_of(result: dg.AssetCheckResult) -> str:
    """Return the unique id of the dbt test that a result is of."""
    return _tests()[str(result.check_name), result.asset_key]


@cache
def _tests() -> Mapping[tuple[str, dg.AssetKey | None], str]:
    return {(spec.name, spec.asset_key): spec.metadata["dagster_dbt/unique_id"] for spec in specs().checks}
