"""The jobs: what is run together."""

from typing import Final

import dagster as dg

from orchestration.defs.dbt_assets import REBUILD_TAG
from orchestration.defs.raw_assets import DAILY

daily_refresh: Final = dg.define_asset_job(
    "daily_refresh",
    selection=dg.AssetSelection.all(),
    partitions_def=DAILY,
    description="The whole chain for a day or a range of days: load, gate, build, gate, publish.",
)

load_landing: Final = dg.define_asset_job(
    "load_landing",
    # Without their checks, which judge whole days before something is built from them.
    selection=dg.AssetSelection.assets(["raw", "events"], ["raw", "attribution"]).without_checks(),
    partitions_def=DAILY,
    description="Only loads the landing files of a day and of the day after it, as far as they have arrived.",
)

rebuild: Final = dg.define_asset_job(
    "rebuild",
    selection=dg.AssetSelection.all(),
    partitions_def=DAILY,
    tags={REBUILD_TAG: "true"},
    description=(
        "Makes the tables of intermediate and build anew, for models whose columns were removed or have other types."
        " Choose all published days as its range; BI reads the old numbers until the new ones are published."
    ),
)
