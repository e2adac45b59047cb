"""Jobs over assets: daily_refresh, the nightly chain, and its variants load_landing, verify and rebuild."""

from functools import partial
from typing import Final

import dagster as dg

from orchestration.defs.assets.dbt_models import REBUILD_TAG
from orchestration.defs.dashboard_checks import dashboard_checks
from orchestration.partitions import DAILY

# Dagster's own retry of a run whose process died begins with the first step: what one run has checked does not count
# for the build of another.
_WHOLE_RUNS: Final = {"dagster/retry_strategy": "ALL_STEPS"}
_daily_job: Final = partial(dg.define_asset_job, partitions_def=DAILY, tags=_WHOLE_RUNS)

# Dashboards are made by no run, and their checks belong to the runs that publish.
_EVERYTHING: Final = dg.AssetSelection.all() | dg.AssetSelection.checks(*dashboard_checks.check_keys)

daily_refresh: Final = _daily_job(
    "daily_refresh",
    selection=_EVERYTHING,
    description="The whole chain for a day or a range of days: load, gate, build, gate, publish, check dashboards.",
)

load_landing: Final = _daily_job(
    "load_landing",
    # Without checks, which need whole days and guard what is built from them.
    selection=dg.AssetSelection.assets(["raw", "events"], ["raw", "attribution"]).without_checks(),
    description="Only loads the landing files of a day and of the day after it, as far as they have arrived.",
)

verify: Final = _daily_job(
    "verify",
    # Everything but loading: what is in raw now.
    selection=(dg.AssetSelection.all() - dg.AssetSelection.groups("raw"))
    | dg.AssetSelection.checks_for_assets(dg.AssetKey(["raw", "events"])),
    description=(
        "Builds published days again from what raw holds, and compares: the check rerun_is_idempotent shows"
        " rows that differ from the published ones. With all published days as its range it rebuilds everything."
    ),
)

rebuild: Final = _daily_job(
    "rebuild",
    selection=_EVERYTHING,
    tags={**_WHOLE_RUNS, REBUILD_TAG: "true"},
    description=(
        "Makes the tables of intermediate and build again, for models whose columns were removed or have other types."
        " Choose all published days as its range; BI reads the old numbers until the new ones are published."
    ),
)
