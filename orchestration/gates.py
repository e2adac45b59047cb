"""The gates: which checks a window has to pass, and how their outcomes reach Dagster and the warehouse."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import dagster as dg
import psycopg

from ingestion.window import Window
from quality_checks import events, ledger, reconciliation
from quality_checks.outcome import CheckOutcome, Severity
from quality_checks.results import record

Check = Callable[[psycopg.Connection, Window], CheckOutcome]

# By the asset they judge. Names are those of the functions and of the suites.
RAW_CHECKS: Final[tuple[Check, ...]] = (ledger.load_counts_add_up,)
RAW_SUITES: Final = ("raw_events",)
RAW_WARNINGS: Final[tuple[Check, ...]] = (
    ledger.landing_days_have_files,
    ledger.rejections_stay_rare,
    events.event_types_are_registered,
    events.keys_stay_on_one_day,
)
BUILD_CHECKS: Final[tuple[Check, ...]] = (
    reconciliation.daily_metrics_match_raw_events,
    reconciliation.unique_visitors_stay_within_events,
    reconciliation.channels_add_up_to_daily_metrics,
)
BUILD_SUITES: Final = ("daily_metrics", "daily_metrics_by_channel")
# Not a function: dbt judges by its own tests while it builds.
DBT_TESTS: Final = "dbt_tests_pass"


def name_of(check: Check) -> str:
    """The name under which a check is shown and recorded."""
    return check.__name__  # type: ignore[attr-defined,no-any-return]


RAW_GATE: Final = (*(name_of(check) for check in RAW_CHECKS), *RAW_SUITES)
BUILD_GATE: Final = (DBT_TESTS, *(name_of(check) for check in BUILD_CHECKS), *BUILD_SUITES)


def judge(
    connection: psycopg.Connection,
    window: Window,
    *,
    build_id: str,
    checks: Sequence[Check] = (),
    suites: Sequence[str] = (),
    sqlalchemy_url: str = "",
) -> list[CheckOutcome]:
    """Run these checks and suites on a window, and put what they say on record."""
    from quality_checks.expectations import run_suite

    outcomes = [check(connection, window) for check in checks]
    outcomes += [run_suite(sqlalchemy_url, name, window) for name in suites]
    record(connection, outcomes, build_id=build_id, window=window)
    return outcomes


def results(outcomes: Sequence[CheckOutcome], assets: Mapping[str, dg.AssetKey]) -> Iterator[dg.AssetCheckResult]:
    """The outcomes as Dagster shows them, each at its asset: bad days and a sample of what is wrong in the metadata."""
    for outcome in outcomes:
        metadata: dict[str, Any] = dict(outcome.observed)
        if outcome.days:
            metadata["bad_days"] = [day.isoformat() for day in outcome.days]
        if outcome.sample:
            metadata["sample"] = dg.MetadataValue.json([dict(row) for row in outcome.sample])
        yield dg.AssetCheckResult(
            asset_key=assets[outcome.name],
            check_name=outcome.name,
            passed=outcome.passed,
            severity=dg.AssetCheckSeverity.ERROR if outcome.severity is Severity.ERROR else dg.AssetCheckSeverity.WARN,
            metadata=metadata,
        )


def record_dbt_tests(connection: psycopg.Connection, window: Window, *, build_id: str) -> None:
    """Put on record that every dbt test of severity error has passed; a build with a failed one ends before this."""
    outcome = CheckOutcome(DBT_TESTS, passed=True, severity=Severity.ERROR, observed={})
    record(connection, [outcome], build_id=build_id, window=window)
