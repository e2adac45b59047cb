"""The gate between build and marts: the numbers agree with raw and with each other, or BI keeps the last ones."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from orchestration import asset_checks, retries
from orchestration.defs.resources import WarehouseResource
from orchestration.run_windows import window_of
from publishing import gates, rerun_check
from quality_checks import (
    application,
    attribution,
    brands,
    creators,
    periods,
    platform,
    raw_events,
    reconciliation,
    visitors,
)
from quality_checks.results import failing_days

_DAILY_METRICS: Final = dg.AssetKey(["build", "daily_metrics"])
_BY_CHANNEL: Final = dg.AssetKey(["build", "daily_metrics_by_channel"])
_CREDITS: Final = dg.AssetKey(["build", "attribution_credits"])
_PATHS: Final = dg.AssetKey(["build", "attribution_paths"])
_ROAS: Final = dg.AssetKey(["build", "roas_daily"])
_MONTHS: Final = dg.AssetKey(["build", "monthly_metrics"])
_PERIODS: Final = dg.AssetKey(["build", "periods"])
_ASSETS: Final = dg.AssetKey(["build", "asset_metrics"])
_ACTIVE_USERS: Final = dg.AssetKey(["build", "active_users_by_period"])
_COHORTS: Final = dg.AssetKey(["build", "cohort_weeks"])
_CREATOR_DAYS: Final = dg.AssetKey(["build", "creator_daily_metrics"])
_CREATORS: Final = dg.AssetKey(["build", "creator_dashboard"])
_TOP_ASSETS: Final = dg.AssetKey(["build", "creator_top_assets"])
_CAMPAIGN_DAYS: Final = dg.AssetKey(["build", "brand_asset_days"])
_CAMPAIGNS: Final = dg.AssetKey(["build", "brand_campaign_metrics"])
_PLATFORM_DAYS: Final = dg.AssetKey(["build", "platform_daily_metrics"])
_PLATFORM: Final = dg.AssetKey(["build", "platform_metrics"])
_LICENSES: Final = dg.AssetKey(["intermediate", "int_licenses_latest"])
_DAYS: Final = dg.AssetKey(["build", "published_days"])
_REGISTRY: Final = dg.AssetKey(["staging", "event_types"])

_SPECS: Final = (
    *asset_checks.check_specs(
        _DAILY_METRICS,
        checks=(reconciliation.daily_metrics_match_raw_events, reconciliation.unique_visitors_stay_within_events),
        suites=("daily_metrics",),
    ),
    *asset_checks.check_specs(
        _BY_CHANNEL,
        checks=(reconciliation.channels_add_up_to_daily_metrics,),
        suites=("daily_metrics_by_channel",),
    ),
    *asset_checks.check_specs(_CREDITS, checks=(attribution.credits_are_conserved,)),
    *asset_checks.check_specs(_ROAS, checks=(attribution.attribution_adds_up,)),
    *asset_checks.check_specs(_PATHS, checks=(attribution.unattributed_conversion_rate_below_threshold,)),
    *asset_checks.check_specs(_MONTHS, checks=(periods.weeks_and_months_add_up_to_their_days,)),
    *asset_checks.check_specs(_PERIODS, checks=(periods.periods_end_with_the_last_day, periods.periods_have_all_days)),
    *asset_checks.check_specs(_ASSETS, checks=(periods.asset_periods_match_daily_metrics,)),
    *asset_checks.check_specs(_ACTIVE_USERS, checks=(visitors.active_users_match_visitor_days,)),
    *asset_checks.check_specs(_COHORTS, checks=(visitors.cohorts_match_visitor_days,)),
    *asset_checks.check_specs(_CREATOR_DAYS, checks=(creators.creator_metrics_match_owned_assets,)),
    *asset_checks.check_specs(_CREATORS, checks=(creators.creator_periods_add_up,)),
    *asset_checks.check_specs(_TOP_ASSETS, checks=(creators.creator_lists_match_daily_metrics,)),
    *asset_checks.check_specs(_CAMPAIGN_DAYS, checks=(brands.campaign_metrics_match_licensed_assets,)),
    *asset_checks.check_specs(_CAMPAIGNS, checks=(brands.campaign_periods_add_up,)),
    *asset_checks.check_specs(_PLATFORM_DAYS, checks=(platform.platform_days_add_up,)),
    *asset_checks.check_specs(_PLATFORM, checks=(platform.platform_periods_add_up,)),
    *(
        spec
        for suite in gates.DASHBOARD_SUITES
        for spec in asset_checks.check_specs(dg.AssetKey(["build", suite]), suites=(suite,))
    ),
    *asset_checks.check_specs(_LICENSES, checks=(application.license_fees_unchanged,)),
    *asset_checks.check_specs(_DAYS, checks=(rerun_check.rerun_is_idempotent,)),
    *asset_checks.check_specs(_REGISTRY, checks=(raw_events.event_types_are_registered,)),
)


# A run of some assets has some of the checks.
@dg.multi_asset_check(specs=_SPECS, can_subset=True, retry_policy=retries.RETRIES)
def build_checks(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> Iterator[dg.AssetCheckResult]:
    """Judge the days of the run as they are in schema build now."""
    with retries.as_dagster_failure(), warehouse.connect() as connection:
        outcomes = gates.run_checks(
            connection,
            window_of(context),
            build_id=context.run.run_id,
            checks=(*gates.BUILD_CHECKS, *gates.BUILD_WARNINGS),
            suites=gates.BUILD_SUITES,
            sqlalchemy_url=warehouse.located().sqlalchemy_url,
        )
        failing = failing_days(connection, outside=window_of(context))
    yield from asset_checks.results(outcomes, context.selected_asset_check_keys, failing)
