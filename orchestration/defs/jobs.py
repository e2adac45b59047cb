"""The jobs: what is run together."""

from typing import Final

import dagster as dg

from orchestration.defs.raw_assets import DAILY

daily_refresh: Final = dg.define_asset_job(
    "daily_refresh",
    selection=dg.AssetSelection.all(),
    partitions_def=DAILY,
    description="The whole chain for a day or a range of days: load, gate, build, gate, publish.",
)
