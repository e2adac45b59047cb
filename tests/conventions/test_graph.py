"""The graph as Dagster sees it, pinned: what exists, what depends on what, what blocks, what runs when."""

import re
import subprocess
import sys
from collections.abc import Iterable

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from orchestration.cli import checks
from orchestration.instance.run_executor import locked_run_executor
from publishing import dbt_manifest, gates
from tests.conventions.graph_snapshot import SNAPSHOT, parents, snapshot
from tests.support.code_location import SETTINGS, definitions
from warehouse.connection import CHECKOUT

DAILY = dg.DailyPartitionsDefinition(start_date="2026-10-01", timezone="UTC")
# Every asset with what it is made from. Its group is its schema.
ALL_PARENTS = parents(SNAPSHOT.read_text())
PARENTS = {name: above for name, above in ALL_PARENTS.items() if not name.startswith(("ops/", "bi/"))}
KINDS = {
    "raw": {"python", "postgres"},
    "staging": {"dbt", "postgres"},
    "intermediate": {"dbt", "postgres"},
    "build": {"dbt", "postgres"},
    "rollups": {"postgres"},
    "marts": {"postgres"},
}
# No run makes them: sensors record what is open and the state of all days, and dashboards read marts.
OBSERVED = {dg.AssetKey.from_user_string(name) for name in ALL_PARENTS.keys() - PARENTS.keys()}
# In a schema of dbt's, and made by the same step, but not by dbt.
FITTED = "intermediate/attribution_channel_values"

# A view that is read once: the table made of it is tested (test_a_test_guards_the_primary_key).
TESTED_BELOW = "intermediate/int_attribution_with_channel"

MADE_BY_DBT_STEP = {asset for asset in PARENTS if not asset.startswith(("raw/", "rollups/", "marts/"))}
TESTED_BY_DBT = MADE_BY_DBT_STEP - {FITTED, TESTED_BELOW}
STEPS = {
    "raw_events",
    "raw_application_tables",
    "raw_ad_spend",
    "raw_events_checks",
    "dbt_models",
    "build_checks",
    "published_marts",
}
# Steps of what runs publish; job verify leaves them out.
AFTERWARDS = {"dashboard_checks"}


@pytest.fixture(scope="module")
def graph() -> AssetGraph:
    return definitions().resolve_asset_graph()  # type: ignore[return-value]


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return definitions().get_repository_def()


def _tables(graph: AssetGraph) -> set[dg.AssetKey]:
    """All assets that runs make."""
    return set(graph.get_all_asset_keys()) - OBSERVED


def _names(keys: Iterable[dg.AssetKey]) -> set[str]:
    return {key.to_user_string() for key in keys}


def test_the_assets_their_parents_and_their_checks_are_those_of_the_snapshot(graph: AssetGraph) -> None:
    assert snapshot(graph) == SNAPSHOT.read_text(), "run `make graph` and look at its diff"
    assert {key for key in graph.get_all_asset_keys() if not graph.get(key).is_executable} == OBSERVED


def test_the_page_of_checks_is_that_of_their_declarations() -> None:
    page = (CHECKOUT / "docs/reference/checks.md").read_text()
    assert checks.page() == page, "run `make graph` and look at its diff"
    shown = re.findall(r"^check \S+ (\S+)", SNAPSHOT.read_text(), re.MULTILINE)
    assert [name for name in shown if f"`{name}`" not in page] == []


def test_every_asset_says_where_it_belongs_what_it_is_and_whose(graph: AssetGraph) -> None:
    for key in _tables(graph):
        node, name = graph.get(key), key.to_user_string()
        schema = key.path[0]
        assert node.group_name == schema, name
        assert set(node.kinds) == ({"python", "postgres"} if name == FITTED else KINDS[schema]), name
        assert list(node.owners) == ["team:data-engineering"], name
        assert node.description, name
        assert node.metadata["dagster/table_name"] == ".".join(key.path), name


def test_every_exposure_is_a_dashboard_with_the_page_and_the_owner_to_ask(graph: AssetGraph) -> None:
    exposures = {f"bi/{found['name']}": found for found in dbt_manifest.manifest()["exposures"].values()}
    assert {name for name in ALL_PARENTS if name.startswith("bi/")} == exposures.keys()
    for name, exposure in exposures.items():
        node = graph.get(dg.AssetKey.from_user_string(name))
        is_dashboard = exposure["type"] == "dashboard"
        assert (node.group_name, set(node.kinds)) == ("bi", {"superset"} if is_dashboard else {exposure["type"]})
        assert list(node.owners) == [exposure["owner"]["email"]]
        assert exposure["label"] in (node.description or "")
        if is_dashboard:
            assert re.fullmatch(r"http://127\.0\.0\.1:8088/superset/dashboard/\w+/", str(node.metadata["page"].value))
        assert ALL_PARENTS[name] == {
            f"marts/{parent.rpartition('.')[2]}" for parent in exposure["depends_on"]["nodes"]
        }, name


def test_dashboards_are_checked_by_what_publishes_and_after_it(repository: dg.RepositoryDefinition) -> None:
    exposures = dbt_manifest.manifest()["exposures"].values()
    dashboards = {f"bi/{found['name']}" for found in exposures if found["type"] == "dashboard"}
    assert {check.asset for check in gates.DASHBOARD_CHECKS} == dashboards
    for name in ("daily_refresh", "rebuild"):
        above = repository.get_job(name).graph.dependency_structure.all_upstream_outputs_from_node("dashboard_checks")
        assert {output.node_name for output in above} == {"published_marts"}


def test_every_asset_is_partitioned_by_day_for_else_a_range_would_be_several_runs(graph: AssetGraph) -> None:
    for key in _tables(graph):
        assert graph.get(key).partitions_def == DAILY, key


def test_a_day_is_made_from_the_same_day_of_its_parents(graph: AssetGraph) -> None:
    day = DAILY.subset_with_partition_keys(["2026-10-05"])
    for key in _tables(graph):
        for parent in graph.get(key).parent_keys:
            mapping = graph.get_partition_mapping(key, parent)
            upstream = mapping.get_upstream_mapped_partitions_result_for_partitions(day, DAILY, DAILY)
            assert set(upstream.partitions_subset.get_partition_keys()) == {"2026-10-05"}, (key, parent)


def test_a_range_is_one_run_of_every_asset(graph: AssetGraph) -> None:
    policies = {key.to_user_string(): graph.get(key).backfill_policy for key in _tables(graph)}
    assert policies == dict.fromkeys(PARENTS, dg.BackfillPolicy.single_run())


@pytest.fixture(scope="module")
def dbt_tests(repository: dg.RepositoryDefinition) -> set[dg.AssetCheckKey]:
    return set(repository.assets_defs_by_key[dg.AssetKey(["build", "daily_metrics"])].check_keys)


def test_the_checks_of_our_own_block_where_publication_asks_for_them(
    graph: AssetGraph, dbt_tests: set[dg.AssetCheckKey]
) -> None:
    blocking = {key.name for key in graph.asset_check_keys - dbt_tests if graph.get(key).blocking}
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
    assert policies.keys() == STEPS | AFTERWARDS
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
        "apply_plan",
        "apply_retention",
        "backfill",
        "daily_refresh",
        "declare_silent_day",
        "erase_subject",
        "export_events",
        "export_subject",
        "load_landing",
        "prune_run_history",
        "publish_refused_day",
        "rebuild",
        "reload_landing_days",
        "replay_rejected",
        "rotate_encryption_key",
        "verify",
        "withdraw_consent",
        "__ASSET_JOB",
    }
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "apply_retention_schedule",
        "daily_refresh_schedule",
        "prune_run_history_schedule",
    }
    assert {sensor.name for sensor in repository.sensor_defs} == {
        "alerts_sensor",
        "failed_runs_sensor",
        "landing_files_sensor",
        "repaired_runs_sensor",
        "stale_days_sensor",
        "status_sensor",
    }


def test_every_night_at_two_the_day_before_is_refreshed(repository: dg.RepositoryDefinition) -> None:
    schedule = repository.get_schedule_def("daily_refresh_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "UTC")
    assert (schedule.job_name, schedule.default_status) == ("daily_refresh", dg.DefaultScheduleStatus.RUNNING)


def test_old_runs_are_deleted_every_night_after_that(repository: dg.RepositoryDefinition) -> None:
    schedule = repository.get_schedule_def("prune_run_history_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 4 * * *", "UTC")
    assert (schedule.job_name, schedule.default_status) == ("prune_run_history", dg.DefaultScheduleStatus.RUNNING)


def test_retention_is_applied_every_night_after_that(repository: dg.RepositoryDefinition) -> None:
    schedule = repository.get_schedule_def("apply_retention_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 5 * * *", "UTC")
    assert (schedule.job_name, schedule.default_status) == ("apply_retention", dg.DefaultScheduleStatus.RUNNING)


def test_stale_days_are_looked_for_every_minute(repository: dg.RepositoryDefinition) -> None:
    sensor = repository.get_sensor_def("stale_days_sensor")
    assert {job.name for job in sensor.jobs} == {"apply_plan", "daily_refresh"}
    assert sensor.minimum_interval_seconds == 60
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
        " heavy = {'dbt.version', 'great_expectations', 'pandas', 'sqlalchemy.orm', 'numpy', 'pyarrow', 'obstore',"
        " 'dagster.components.core.snapshot'};"
        " print(*sorted(heavy & set(sys.modules)))"
    )
    # The settings name a server that does not exist.
    outcome = subprocess.run(
        [sys.executable, "-c", code], env={**SETTINGS, "PATH": ""}, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.strip() == ""
