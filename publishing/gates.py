"""The gates: which checks a window has to pass, how they are run, and where their outcomes are recorded."""

from collections.abc import Callable, Sequence
from typing import Final

import psycopg

from publishing import rerun_check
from quality_checks import (
    application,
    attribution,
    brands,
    creators,
    days_without_events,
    events_input,
    loads,
    periods,
    platform,
    raw_events,
    reconciliation,
    rule_sets,
    sums,
    visitors,
)
from quality_checks.outcome import CheckOutcome, Severity
from quality_checks.results import record
from quality_checks.suite import load_suite
from warehouse.window import Window

Check = Callable[[psycopg.Connection, Window], CheckOutcome]

# By when they are asked. Functions give their own names to their outcomes; a suite's file says the name of its.
RAW_CHECKS: Final[tuple[Check, ...]] = (
    loads.load_counts_add_up,
    sums.revenue_fits_its_columns,
    sums.spend_fits_its_columns,
    days_without_events.day_has_events,
)

RAW_SUITES: Final = ("raw_events",)

RAW_WARNINGS: Final[tuple[Check, ...]] = (
    loads.landing_days_have_files,
    loads.rejection_rate_below_threshold,
    raw_events.event_keys_unique_across_days,
    events_input.dropped_field_rate_below_threshold,
    events_input.placeholder_id_rate_below_threshold,
    events_input.sessions_stay_on_one_device,
    days_without_events.published_days_have_events,
    rule_sets.event_days_have_one_rule_set,
)

# Of marts that are coarser than a day.
ROLLUP_CHECKS: Final[tuple[Check, ...]] = (
    periods.weeks_and_months_add_up_to_their_days,
    periods.asset_periods_match_daily_metrics,
    periods.periods_end_with_the_last_day,
)

BUILD_CHECKS: Final[tuple[Check, ...]] = (
    reconciliation.daily_metrics_match_raw_events,
    reconciliation.unique_visitors_stay_within_events,
    reconciliation.channels_add_up_to_daily_metrics,
    attribution.credits_are_conserved,
    attribution.attribution_adds_up,
    *ROLLUP_CHECKS,
    visitors.active_users_match_visitor_days,
    visitors.cohorts_match_visitor_days,
    creators.creator_metrics_match_owned_assets,
    creators.creator_periods_add_up,
    creators.creator_lists_match_daily_metrics,
    brands.campaign_metrics_match_licensed_assets,
    brands.campaign_periods_add_up,
    platform.platform_days_add_up,
    platform.platform_periods_add_up,
)

# These read the registry, a dbt seed, marts, and the product's tables as read, all of which a new warehouse has only
# after its first build, and the record of that.
BUILD_WARNINGS: Final[tuple[Check, ...]] = (
    raw_events.event_types_are_registered,
    periods.periods_have_all_days,
    attribution.unattributed_conversion_rate_below_threshold,
    application.license_fees_unchanged,
    rerun_check.rerun_is_idempotent,
)

# Each is named as the mart whose rows it judges.
DASHBOARD_SUITES: Final = (
    "asset_metrics",
    "asset_top_referrers",
    "creator_dashboard",
    "creator_top_assets",
    "creator_traffic_sources",
    "creator_revenue_timeline",
    "brand_campaign_metrics",
    "brand_campaign_assets",
    "platform_metrics",
    "platform_revenue_timeline",
    "cohort_retention",
)

BUILD_SUITES: Final = ("daily_metrics", "daily_metrics_by_channel", *DASHBOARD_SUITES)

# Not a function: dbt judges by its own tests while it builds.
DBT_TESTS: Final = "dbt_tests_pass"


def name_of(check: Check) -> str:
    """The name under which a check is shown and recorded."""
    return check.__name__


def suite_checks(suites: Sequence[str]) -> tuple[str, ...]:
    """The names under which the outcomes of these suites are shown and recorded."""
    return tuple(load_suite(suite).check for suite in suites)


# What publication asks for, by name.
RAW_GATE: Final = (*map(name_of, RAW_CHECKS), *suite_checks(RAW_SUITES))

BUILD_GATE: Final = (DBT_TESTS, *map(name_of, BUILD_CHECKS), *suite_checks(BUILD_SUITES))


def run_checks(
    connection: psycopg.Connection,
    window: Window,
    *,
    build_id: str,
    checks: Sequence[Check] = (),
    suites: Sequence[str] = (),
    sqlalchemy_url: str = "",
) -> list[CheckOutcome]:
    """Run these checks and suites on a window, and put what they say on record."""
    from quality_checks.expectations import run_suites

    (change_id,) = connection.execute("select ops.last_change_id()").fetchone() or (None,)
    outcomes = [check(connection, window) for check in checks]
    outcomes += run_suites(sqlalchemy_url, suites, window)
    record(connection, outcomes, build_id=build_id, window=window, change_id=change_id)
    return outcomes


def record_dbt_tests(connection: psycopg.Connection, window: Window, *, build_id: str) -> None:
    """Put on record that every dbt test of severity error has passed; a build with a failed one ends before this."""
    outcome = CheckOutcome(DBT_TESTS, passed=True, severity=Severity.ERROR, observed={})
    record(connection, [outcome], build_id=build_id, window=window)
