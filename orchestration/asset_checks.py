"""The checks of the gates as Dagster asset checks: their specs, and outcomes as results."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import dagster as dg

from publishing.gates import BUILD_GATE, RAW_GATE, Check, name_of
from quality_checks.outcome import CheckOutcome
from quality_checks.suite import load_suite

# A month; ops.check_states has all of them.
_DAYS_SHOWN: Final = 31


def check_specs(
    asset: dg.AssetKey, *, checks: Sequence[Check] = (), suites: Sequence[str] = ()
) -> list[dg.AssetCheckSpec]:
    """These checks and suites as checks of an asset; those that publication asks for are blocking."""
    described = {name_of(check): inspect.cleandoc(check.__doc__ or "").partition("\n\n")[0] for check in checks}
    described |= {suite.check: suite.about for suite in map(load_suite, suites)}
    return [
        dg.AssetCheckSpec(name, asset=asset, blocking=name in (*RAW_GATE, *BUILD_GATE), description=description)
        for name, description in described.items()
    ]


def results(
    outcomes: Iterable[CheckOutcome],
    selected: Iterable[dg.AssetCheckKey],
    failing: Mapping[str, Sequence[date]],
) -> Iterator[dg.AssetCheckResult]:
    """The outcomes as Dagster shows them, each at its asset: bad days and a sample of what is wrong in the metadata.

    Dagster shows the last result of a check alone. So one that has passed for the days of its run warns while other
    days are `failing`; it holds nothing back. Dagster takes no result of a check that its run has not `selected`, when
    only some assets are run.
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
