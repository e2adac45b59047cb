"""Checks of the gates as Dagster asset checks: their specs, their run, and outcomes as results."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import dagster as dg

from orchestration import retries
from orchestration.defs.resources import WarehouseResource
from orchestration.run_windows import unsealed_window_of
from publishing import gates
from quality_checks.outcome import CheckOutcome
from quality_checks.registry import Check
from quality_checks.results import failing_days

# A month; ops.check_states has all of them.
_DAYS_SHOWN: Final = 31


def specs(checks: Sequence[Check]) -> list[dg.AssetCheckSpec]:
    """Return the specs of checks. Those that publication requires are blocking."""
    return [
        dg.AssetCheckSpec(
            check.name,
            asset=dg.AssetKey(check.asset.split("/")),
            blocking=check.is_blocking,
            description=check.description,
        )
        for check in checks
    ]


def run(
    context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource, checks: Sequence[Check]
) -> Iterator[dg.AssetCheckResult]:
    """Run checks on the window of a run, record their outcomes, and yield these as Dagster's results."""
    with retries.as_dagster_failure(), warehouse.connect() as connection:
        window = unsealed_window_of(context, connection)
        outcomes = gates.run_checks(
            connection,
            window,
            build_id=context.run.run_id,
            checks=checks,
            sqlalchemy_url=warehouse.warehouse.sqlalchemy_url,
        )
        failing = failing_days(connection, outside=window)
    yield from results(outcomes, context.selected_asset_check_keys, failing)


def results(
    outcomes: Iterable[CheckOutcome],
    selected: Iterable[dg.AssetCheckKey],
    failing: Mapping[str, Sequence[date]],
) -> Iterator[dg.AssetCheckResult]:
    """Yield the outcomes as Dagster shows them, each at its asset, with bad days and a sample in the metadata.

    Dagster shows only the last result of a check. A check that passes for its run therefore warns while other days are
    `failing`; it does not block. Dagster accepts no result of a check that its run has not `selected`.
    """
    assets = {key.name: key.asset_key for key in selected}
    for outcome in outcomes:
        if outcome.name not in assets:
            continue
        metadata: dict[str, Any] = dict(outcome.observed)
        if outcome.days:
            metadata["bad_days"] = _listed(outcome.days)
        others = () if outcome.covers_all_days else failing.get(outcome.name, ())
        if others:
            metadata["other_failing_days"] = _listed(others)
        if outcome.sample:
            metadata["sample"] = dg.MetadataValue.json([dict(row) for row in outcome.sample])
        yield dg.AssetCheckResult(
            asset_key=assets[outcome.name],
            check_name=outcome.name,
            passed=outcome.passed and not others,
            description=f"{len(others)} other days still fail: {_listed(others)}" if others else None,
            severity=dg.AssetCheckSeverity.ERROR if outcome.blocks else dg.AssetCheckSeverity.WARN,
            metadata=metadata,
        )


def _listed(days: Sequence[date]) -> str:
    more = f" and {len(days) - _DAYS_SHOWN} more" if len(days) > _DAYS_SHOWN else ""
    return ", ".join(day.isoformat() for day in days[:_DAYS_SHOWN]) + more
