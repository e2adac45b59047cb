"""The gate between raw and dbt: what was loaded adds up and keeps the contract, or nothing is built from it."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from orchestration import gates
from orchestration.defs.resources import WarehouseResource
from orchestration.partitions import window_of

RAW_EVENTS: Final = dg.AssetKey(["raw", "events"])

_DESCRIPTIONS: Final = {
    "load_counts_add_up": (
        "Of every file: lines read = accepted + rejected + duplicates + not tracked, in the ledger and in the tables."
    ),
    "raw_events": "The expectation suite raw_events: required fields, allowed values, days and amounts.",
    "landing_days_have_files": "Warns of a landing day without files: a tracker may have been silent.",
    "rejections_stay_rare": "Warns when more lines than usual cannot be used.",
    "event_types_are_registered": "Warns of event types that the registry does not list; their events are kept.",
    "keys_stay_on_one_day": "Warns of keys that occur on two event days; both events are kept.",
}


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(name, asset=RAW_EVENTS, blocking=name in gates.RAW_GATE, description=description)
        for name, description in _DESCRIPTIONS.items()
    ]
)
def raw_events_checks(
    context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
) -> Iterator[dg.AssetCheckResult]:
    """Judge the event days of the run as they are in raw now."""
    with warehouse.connect() as connection:
        outcomes = gates.judge(
            connection,
            window_of(context),
            build_id=context.run.run_id,
            checks=(*gates.RAW_CHECKS, *gates.RAW_WARNINGS),
            suites=gates.RAW_SUITES,
            sqlalchemy_url=warehouse.located().sqlalchemy_url,
        )
    yield from gates.results(outcomes, {outcome.name: RAW_EVENTS for outcome in outcomes})
