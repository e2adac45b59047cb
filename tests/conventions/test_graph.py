"""The graph as Dagster sees it, pinned: what exists, what depends on what, what blocks, what runs when."""

import subprocess
import sys
from collections.abc import Iterable

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from orchestration.instance.run_executor import locked_run_executor
from publishing import gates
from tests.support.code_location import SETTINGS, definitions

DAILY = dg.DailyPartitionsDefinition(start_date="2026-10-01", timezone="UTC")
APPLICATION_TABLES = (
    "brands",
    "creators",
    "ip_assets",
    "ip_ownerships",
    "license_adjustments",
    "licenses",
    "payouts",
    "projects",
    "users",
)

# Every asset and what it is made from. Its group is its schema.
PARENTS: dict[str, set[str]] = {
    "raw/events": set(),
    "raw/attribution": set(),
    **{f"raw/{table}": set() for table in APPLICATION_TABLES},
    "raw/ad_spend": set(),
    "staging/crawlers": set(),
    "staging/event_types": set(),
    "staging/click_ids": set(),
    "staging/known_referrers": set(),
    "staging/personal_keys": set(),
    "staging/placeholder_ids": set(),
    "staging/channel_rules": set(),
    "staging/stg_tracking__events": {"raw/events"},
    "staging/stg_tracking__attribution": {"raw/attribution"},
    **{f"staging/stg_marketplace__{table}": {f"raw/{table}"} for table in APPLICATION_TABLES},
    "staging/stg_marketing__ad_spend": {"raw/ad_spend"},
    "intermediate/int_attribution_classified": {
        "staging/channel_rules",
        "staging/click_ids",
        "staging/known_referrers",
        "staging/stg_tracking__attribution",
    },
    "intermediate/int_identity_observations": {"staging/stg_tracking__events"},
    "intermediate/int_identity_resolved": {"intermediate/int_identity_observations"},
    "intermediate/int_licenses_latest": {"staging/stg_marketplace__licenses"},
    "intermediate/int_events_sessionized": {
        "intermediate/int_attribution_classified",
        "intermediate/int_identity_resolved",
        "intermediate/int_licenses_latest",
        "staging/event_types",
        "staging/stg_tracking__events",
    },
    "intermediate/int_events_attributed": {"intermediate/int_events_sessionized"},
    "intermediate/int_sessions": {"intermediate/int_events_sessionized"},
    "intermediate/attribution_channel_values": {"intermediate/int_conversion_paths", "intermediate/int_sessions"},
    "intermediate/int_conversion_paths": {
        "intermediate/int_events_attributed",
        "intermediate/int_identity_observations",
        "intermediate/int_sessions",
    },
    "intermediate/int_ad_spend_classified": {
        "staging/channel_rules",
        "staging/known_referrers",
        "staging/stg_marketing__ad_spend",
    },
    "build/attribution_credits": {"intermediate/attribution_channel_values", "intermediate/int_conversion_paths"},
    "build/attribution_daily": {"build/attribution_credits"},
    "build/attribution_paths": {"intermediate/int_conversion_paths"},
    "build/roas_daily": {"build/attribution_daily", "intermediate/int_ad_spend_classified"},
    "intermediate/int_licenses_owned": {"intermediate/int_licenses_latest", "intermediate/int_ownerships_latest"},
    "build/creator_asset_days": {"build/daily_metrics", "intermediate/int_ownerships_latest"},
    "build/creator_asset_months": {"build/creator_asset_days"},
    "build/creator_daily_metrics": {"build/creator_asset_days"},
    "build/creator_dashboard": {
        "build/creator_asset_months",
        "build/creator_daily_metrics",
        "build/periods",
        "intermediate/int_creators_latest",
        "intermediate/int_licenses_owned",
    },
    "build/creator_top_assets": {
        "build/creator_asset_days",
        "build/creator_asset_months",
        "build/periods",
        "intermediate/int_assets_latest",
        "intermediate/int_creators_latest",
        "intermediate/int_licenses_owned",
        "intermediate/int_ownerships_latest",
    },
    "build/creator_source_days": {"build/creator_asset_days", "intermediate/int_events_attributed"},
    "build/creator_source_months": {"build/creator_source_days"},
    "build/creator_traffic_sources": {
        "build/creator_source_days",
        "build/creator_source_months",
        "build/periods",
        "intermediate/int_creators_latest",
    },
    **{
        f"published/creator_{table}": {f"build/creator_{table}"}
        for table in ("asset_days", "asset_months", "source_days", "source_months")
    },
    **{
        f"marts/creator_{table}": {f"build/creator_{table}"}
        for table in ("daily_metrics", "dashboard", "top_assets", "traffic_sources")
    },
    "build/daily_metrics": {"intermediate/int_events_attributed"},
    "build/daily_metrics_by_channel": {"intermediate/int_events_attributed"},
    "intermediate/int_assets_latest": {"staging/stg_marketplace__ip_assets"},
    "intermediate/int_ownerships_latest": {"staging/stg_marketplace__ip_ownerships"},
    **{
        f"intermediate/int_{table}_latest": {f"staging/stg_marketplace__{table}"}
        for table in ("users", "creators", "brands", "projects", "license_adjustments")
    },
    "build/published_days": {"intermediate/int_events_attributed"},
    "build/visitor_days": {"intermediate/int_events_attributed"},
    "build/visitor_last_days": {"build/visitor_days"},
    "build/visitors_by_period": {"build/periods", "build/visitor_last_days"},
    "build/visitor_activity_days": {"intermediate/int_events_attributed"},
    "build/visitor_activity": {"build/visitor_activity_days"},
    "intermediate/int_funnel_events": {"intermediate/int_events_attributed"},
    "build/funnel_daily": {"intermediate/int_funnel_events"},
    "marts/funnel_daily": {"build/funnel_daily"},
    "build/cohort_weeks": {"build/periods", "build/visitor_activity", "build/visitor_activity_days"},
    "build/cohort_retention": {"build/cohort_weeks", "build/periods", "build/published_days"},
    "build/referrer_days": {"intermediate/int_events_attributed", "staging/stg_tracking__attribution"},
    "build/referrer_months": {"build/referrer_days"},
    "build/weekly_metrics": {"build/daily_metrics", "build/published_days", "build/visitor_days"},
    "build/monthly_metrics": {"build/daily_metrics", "build/published_days", "build/visitor_days"},
    "build/periods": {"build/published_days"},
    "build/platform_daily_metrics": {"build/daily_metrics", "build/published_days"},
    "build/creator_revenue_timeline": {
        "build/creator_daily_metrics",
        "build/creator_dashboard",
        "build/periods",
        "build/published_days",
    },
    "intermediate/int_entities_dated": {
        f"intermediate/int_{table}_latest"
        for table in ("users", "creators", "brands", "assets", "licenses", "license_adjustments")
    },
    "build/active_users_by_period": {"build/periods", "build/visitor_activity", "intermediate/int_users_latest"},
    "published/active_users_by_period": {"build/active_users_by_period"},
    "build/platform_metrics": {
        "build/active_users_by_period",
        "build/periods",
        "build/platform_daily_metrics",
        "intermediate/int_entities_dated",
    },
    "build/platform_revenue_timeline": {"build/periods", "build/platform_daily_metrics"},
    "build/asset_metrics": {
        "build/daily_metrics",
        "build/monthly_metrics",
        "build/periods",
        "build/visitors_by_period",
        "intermediate/int_assets_latest",
    },
    "build/asset_top_referrers": {
        "build/periods",
        "build/referrer_days",
        "build/referrer_months",
        "intermediate/int_assets_latest",
    },
    "build/brand_asset_days": {"build/daily_metrics", "intermediate/int_licenses_latest"},
    "build/brand_asset_months": {"build/brand_asset_days"},
    "build/brand_campaign_metrics": {
        "build/brand_asset_days",
        "build/brand_asset_months",
        "build/periods",
        *(f"intermediate/int_{table}_latest" for table in ("brands", "projects", "licenses", "license_adjustments")),
    },
    "build/brand_campaign_assets": {
        "build/brand_asset_days",
        "build/brand_asset_months",
        "build/periods",
        *(f"intermediate/int_{table}_latest" for table in ("brands", "assets", "licenses")),
    },
    "published/brand_asset_days": {"build/brand_asset_days"},
    "published/brand_asset_months": {"build/brand_asset_months"},
    "marts/brand_campaign_metrics": {"build/brand_campaign_metrics"},
    "marts/brand_campaign_assets": {"build/brand_campaign_assets"},
    **{
        f"published/{table}": {f"build/{table}"}
        for table in ("visitor_activity_days", "visitor_activity", "cohort_weeks")
    },
    "marts/cohort_retention": {"build/cohort_retention"},
    **{
        f"published/{table}": {f"build/{table}"}
        for table in ("visitor_days", "visitor_last_days", "visitors_by_period", "referrer_days", "referrer_months")
    },
    **{
        f"marts/{table}": {f"build/{table}"}
        for table in (
            "published_days",
            "weekly_metrics",
            "monthly_metrics",
            "periods",
            "asset_metrics",
            "asset_top_referrers",
            "creator_revenue_timeline",
            "platform_daily_metrics",
            "platform_metrics",
            "platform_revenue_timeline",
        )
    },
    "marts/attribution_credits": {"build/attribution_credits"},
    "marts/attribution_daily": {"build/attribution_daily"},
    "marts/attribution_paths": {"build/attribution_paths"},
    "marts/roas_daily": {"build/roas_daily"},
    "marts/daily_metrics": {"build/daily_metrics"},
    "marts/daily_metrics_by_channel": {"build/daily_metrics_by_channel"},
}
KINDS = {
    "raw": {"python", "postgres"},
    "staging": {"dbt", "postgres"},
    "intermediate": {"dbt", "postgres"},
    "build": {"dbt", "postgres"},
    "published": {"postgres"},
    "marts": {"postgres"},
}
# In a schema of dbt's, and made by the same step, but not by dbt.
FITTED = "intermediate/attribution_channel_values"

# The checks that are no dbt tests, and whether a failure stops what comes after.
CHECKS = {
    ("raw/ad_spend", "ad_spend_files_are_usable"): False,
    ("raw/events", "load_counts_add_up"): True,
    ("raw/events", "revenue_fits_its_columns"): True,
    ("raw/events", "spend_fits_its_columns"): True,
    ("raw/events", "day_has_events"): True,
    ("raw/events", "raw_events_are_well_formed"): True,
    ("raw/events", "landing_days_have_files"): False,
    ("raw/events", "rejections_stay_rare"): False,
    ("raw/events", "dropped_fields_stay_rare"): False,
    ("raw/events", "placeholder_ids_stay_rare"): False,
    ("raw/events", "sessions_stay_on_one_device"): False,
    ("raw/events", "keys_stay_on_one_day"): False,
    ("raw/events", "published_days_have_events"): False,
    ("raw/events", "event_days_have_one_rule_set"): False,
    ("staging/event_types", "event_types_are_registered"): False,
    ("build/published_days", "reruns_change_nothing"): False,
    ("intermediate/int_licenses_latest", "license_fees_are_as_first_seen"): False,
    ("build/attribution_credits", "credits_are_conserved"): True,
    ("build/attribution_paths", "unattributed_conversions_stay_few"): False,
    ("build/roas_daily", "attribution_adds_up"): True,
    ("build/monthly_metrics", "weeks_and_months_add_up_to_their_days"): True,
    ("build/asset_metrics", "asset_periods_show_their_days"): True,
    ("build/active_users_by_period", "active_users_show_their_days"): True,
    ("build/cohort_weeks", "cohorts_show_their_days"): True,
    ("build/creator_daily_metrics", "creators_have_what_their_assets_have"): True,
    ("build/creator_dashboard", "creator_periods_add_up"): True,
    ("build/creator_top_assets", "creator_lists_show_their_days"): True,
    ("build/brand_asset_days", "campaigns_have_what_their_assets_have"): True,
    ("build/brand_campaign_metrics", "campaign_periods_add_up"): True,
    ("build/platform_daily_metrics", "platform_days_add_up"): True,
    ("build/platform_metrics", "platform_periods_add_up"): True,
    ("build/periods", "periods_end_with_the_last_day"): True,
    ("build/periods", "periods_have_all_days"): False,
    ("build/asset_metrics", "asset_metrics_are_well_formed"): True,
    ("build/asset_top_referrers", "asset_top_referrers_are_well_formed"): True,
    ("build/creator_dashboard", "creator_dashboard_is_well_formed"): True,
    ("build/creator_top_assets", "creator_top_assets_are_well_formed"): True,
    ("build/creator_traffic_sources", "creator_traffic_sources_are_well_formed"): True,
    ("build/creator_revenue_timeline", "creator_revenue_timeline_is_well_formed"): True,
    ("build/brand_campaign_metrics", "brand_campaign_metrics_are_well_formed"): True,
    ("build/brand_campaign_assets", "brand_campaign_assets_are_well_formed"): True,
    ("build/platform_metrics", "platform_metrics_are_well_formed"): True,
    ("build/platform_revenue_timeline", "platform_revenue_timeline_is_well_formed"): True,
    ("build/cohort_retention", "cohort_retention_is_well_formed"): True,
    ("build/daily_metrics", "daily_metrics_match_raw_events"): True,
    ("build/daily_metrics", "unique_visitors_stay_within_events"): True,
    ("build/daily_metrics", "daily_metrics_are_well_formed"): True,
    ("build/daily_metrics_by_channel", "channels_add_up_to_daily_metrics"): True,
    ("build/daily_metrics_by_channel", "daily_metrics_by_channel_are_well_formed"): True,
}
TESTED_BY_DBT = {asset for asset in PARENTS if not asset.startswith(("raw/", "published/", "marts/"))} - {FITTED}
STEPS = {
    "raw_events",
    "raw_application_tables",
    "raw_ad_spend",
    "raw_events_checks",
    "dbt_models",
    "build_checks",
    "published_marts",
}


@pytest.fixture(scope="module")
def graph() -> AssetGraph:
    return definitions().resolve_asset_graph()  # type: ignore[return-value]


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return definitions().get_repository_def()


def _names(keys: Iterable[dg.AssetKey]) -> set[str]:
    return {key.to_user_string() for key in keys}


def test_the_assets_and_their_parents_are_these(graph: AssetGraph) -> None:
    found = {key.to_user_string(): _names(graph.get(key).parent_keys) for key in graph.get_all_asset_keys()}
    assert found == PARENTS
    assert all(graph.get(key).is_executable for key in graph.get_all_asset_keys())


def test_every_asset_says_where_it_belongs_what_it_is_and_whose(graph: AssetGraph) -> None:
    for key in graph.get_all_asset_keys():
        node, name = graph.get(key), key.to_user_string()
        schema = key.path[0]
        assert node.group_name == schema, name
        assert set(node.kinds) == ({"python", "postgres"} if name == FITTED else KINDS[schema]), name
        assert list(node.owners) == ["team:data-engineering"], name
        assert node.description, name
        assert node.metadata["dagster/table_name"] == ".".join(key.path), name


def test_every_asset_is_partitioned_by_day_for_else_a_range_would_be_several_runs(graph: AssetGraph) -> None:
    for key in graph.get_all_asset_keys():
        assert graph.get(key).partitions_def == DAILY, key


def test_a_day_is_made_from_the_same_day_of_its_parents(graph: AssetGraph) -> None:
    day = DAILY.subset_with_partition_keys(["2026-10-05"])
    for key in graph.get_all_asset_keys():
        for parent in graph.get(key).parent_keys:
            mapping = graph.get_partition_mapping(key, parent)
            upstream = mapping.get_upstream_mapped_partitions_result_for_partitions(day, DAILY, DAILY)
            assert set(upstream.partitions_subset.get_partition_keys()) == {"2026-10-05"}, (key, parent)


def test_a_range_is_one_run_of_every_asset(graph: AssetGraph) -> None:
    policies = {key.to_user_string(): graph.get(key).backfill_policy for key in graph.get_all_asset_keys()}
    assert policies == dict.fromkeys(PARENTS, dg.BackfillPolicy.single_run())


@pytest.fixture(scope="module")
def dbt_tests(repository: dg.RepositoryDefinition) -> set[dg.AssetCheckKey]:
    return set(repository.assets_defs_by_key[dg.AssetKey(["build", "daily_metrics"])].check_keys)


def test_the_checks_of_our_own_block_where_publication_asks_for_them(
    graph: AssetGraph, dbt_tests: set[dg.AssetCheckKey]
) -> None:
    own = {
        (key.asset_key.to_user_string(), key.name): graph.get(key).blocking
        for key in graph.asset_check_keys - dbt_tests
    }
    assert own == CHECKS
    blocking = {name for (_, name), blocks in own.items() if blocks}
    assert blocking == {*gates.RAW_GATE, *gates.BUILD_GATE} - {gates.DBT_TESTS}


def test_every_table_of_dbt_has_a_test_and_every_such_test_blocks(
    graph: AssetGraph, dbt_tests: set[dg.AssetCheckKey]
) -> None:
    assert all(graph.get(key).blocking for key in dbt_tests)
    assert _names(key.asset_key for key in dbt_tests) == TESTED_BY_DBT


def test_every_check_is_described(graph: AssetGraph) -> None:
    assert [key for key in graph.asset_check_keys if not graph.get(key).description] == []


@pytest.mark.parametrize("asset", sorted(PARENTS))
def test_any_asset_can_be_run_with_the_others_of_its_step(repository: dg.RepositoryDefinition, asset: str) -> None:
    """As the UI does for a selection: the checks of other assets are left out."""
    key = dg.AssetKey.from_user_string(asset)
    step = repository.assets_defs_by_key[key]
    selected = {key} if step.can_subset else set(step.keys)
    subset = repository.get_job("__ASSET_JOB").get_subset(asset_selection=selected)
    assert subset.asset_layer.selected_asset_keys == selected


def test_the_steps_are_few_and_each_is_tried_four_times(repository: dg.RepositoryDefinition) -> None:
    job = repository.get_job("daily_refresh")
    policies = {node.name: node.definition.retry_policy for node in job.nodes}  # type: ignore[attr-defined]
    assert policies.keys() == STEPS
    for name, policy in policies.items():
        assert policy is not None, name
        assert (policy.max_retries, policy.backoff) == (3, dg.Backoff.EXPONENTIAL), name


@pytest.mark.parametrize("name", ["daily_refresh", "rebuild"])
def test_a_job_is_the_whole_chain_in_one_process(repository: dg.RepositoryDefinition, name: str) -> None:
    job = repository.get_job(name)
    assert _names(job.asset_layer.selected_asset_keys) == set(PARENTS)
    assert job.partitions_def == DAILY
    assert job.executor_def is locked_run_executor
    assert job.description


def test_what_is_verified_is_built_judged_and_published_and_not_loaded(repository: dg.RepositoryDefinition) -> None:
    job = repository.get_job("verify")
    not_raw = {name for name in PARENTS if not name.startswith("raw/")}
    assert _names(job.asset_layer.selected_asset_keys) == not_raw
    assert {node.name for node in job.nodes} == STEPS - {"raw_events", "raw_application_tables", "raw_ad_spend"}
    assert job.partitions_def == DAILY
    assert job.description


def test_there_are_no_other_jobs_schedules_and_sensors(repository: dg.RepositoryDefinition) -> None:
    assert {job.name for job in repository.get_all_jobs()} == {
        "daily_refresh",
        "declare_silent_day",
        "export_events",
        "load_landing",
        "prune_run_history",
        "rebuild",
        "reload_landing_days",
        "replay_rejected",
        "rotate_encryption_key",
        "verify",
        "__ASSET_JOB",
    }
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "daily_refresh_schedule",
        "prune_run_history_schedule",
    }
    assert {sensor.name for sensor in repository.sensor_defs} == {"late_events_sensor", "landing_files_sensor"}


def test_every_night_at_two_the_day_before_is_refreshed(repository: dg.RepositoryDefinition) -> None:
    schedule = repository.get_schedule_def("daily_refresh_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "UTC")
    assert (schedule.job_name, schedule.default_status) == ("daily_refresh", dg.DefaultScheduleStatus.RUNNING)


def test_old_runs_are_deleted_every_night_after_that(repository: dg.RepositoryDefinition) -> None:
    schedule = repository.get_schedule_def("prune_run_history_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 4 * * *", "UTC")
    assert (schedule.job_name, schedule.default_status) == ("prune_run_history", dg.DefaultScheduleStatus.RUNNING)


def test_stale_days_are_looked_for_every_minute(repository: dg.RepositoryDefinition) -> None:
    sensor = repository.get_sensor_def("late_events_sensor")
    assert (sensor.job_name, sensor.minimum_interval_seconds) == ("daily_refresh", 60)
    assert sensor.description
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_landing_files_are_looked_for_every_two_minutes(repository: dg.RepositoryDefinition) -> None:
    sensor = repository.get_sensor_def("landing_files_sensor")
    assert {job.name for job in sensor.jobs} == {"daily_refresh", "load_landing"}
    assert sensor.minimum_interval_seconds == 120
    assert sensor.description
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_what_is_only_loaded_is_loaded_without_its_checks(repository: dg.RepositoryDefinition) -> None:
    job = repository.get_job("load_landing")
    assert _names(job.asset_layer.selected_asset_keys) == {"raw/events", "raw/attribution"}
    assert {node.name for node in job.nodes} == {"raw_events"}
    assert job.partitions_def == DAILY
    assert job.description


def test_definitions_load_without_a_warehouse_and_without_heavy_packages() -> None:
    code = (
        "import sys; from orchestration.definitions import definitions; definitions().get_repository_def();"
        " heavy = {'dbt.version', 'great_expectations', 'pandas', 'sqlalchemy.orm', 'numpy', 'pyarrow', 'obstore'};"
        " print(*sorted(heavy & set(sys.modules)))"
    )
    # The settings name a server that does not exist.
    outcome = subprocess.run(
        [sys.executable, "-c", code], env={**SETTINGS, "PATH": ""}, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.strip() == ""
