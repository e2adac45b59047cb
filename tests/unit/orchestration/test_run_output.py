"""Lines of a run that a waiting person reads."""

import pytest

from orchestration.cli.run_output import in_short

HEAD = "2026-11-22 13:07:58 +0000 - dagster - {level} - daily_refresh - e077aae0-99b5-48ac-8ca0-3fb23598402e - "


@pytest.mark.parametrize(
    ("level", "text", "short"),
    [
        ("INFO", "raw_events - landing day 2026-10-01: 5 lines", "raw_events: landing day 2026-10-01: 5 lines"),
        (
            "DEBUG",
            '4405 - raw_events - STEP_SUCCESS - Finished execution of step "raw_events" in 2m1s.',
            "raw_events: done in 2m1s",
        ),
        (
            "DEBUG",
            "4405 - raw_events_checks - ASSET_CHECK_EVALUATION - Asset check 'rare' on 'raw/events' did not pass.",
            "raw_events_checks: Asset check 'rare' on 'raw/events' did not pass.",
        ),
        (
            "ERROR",
            "dbt_models - Dependencies failed. Not executing.",
            "dbt_models: Dependencies failed. Not executing.",
        ),
        (
            "ERROR",
            '4405 - RUN_FAILURE - Execution of run for "daily_refresh" failed.',
            'run: Execution of run for "daily_refresh" failed.',
        ),
        ("DEBUG", '4405 - raw_events - STEP_START - Started execution of step "raw_events".', None),
        ("DEBUG", "4405 - raw_events - ASSET_CHECK_EVALUATION - Asset check 'rare' on 'raw/events' passed.", None),
        ("INFO", "dbt_models - Running dbt command: `dbt build`", None),
    ],
)
def test_ends_warnings_and_errors_are_told_and_the_rest_is_not(level: str, text: str, short: str | None) -> None:
    assert in_short(HEAD.format(level=level) + text + "\n") == short


def test_a_run_that_waits_for_another_one_says_so() -> None:
    waits = "waiting for the warehouse: run 1 (server process 2, since 02:00:00 UTC) is writing it"
    line = HEAD.format(level="INFO").replace("daily_refresh", "resource:writer") + waits

    assert in_short(f"{line}\n") == waits


@pytest.mark.parametrize(
    ("line", "short"),
    [
        (
            "34 of 48 OK created sql windowed model build.daily_metrics  [\x1b[32mINSERT 0 21\x1b[0m in 0.44s]",
            "dbt_models: 34 of 48 OK created sql windowed model build.daily_metrics, INSERT 0 21 in 0.44s",
        ),
        (
            "5 of 48 FAIL 3 one_row_per_x ....... [\x1b[31mFAIL 3\x1b[0m in 0.1s]",
            "dbt_models: 5 of 48 FAIL 3 one_row_per_x, FAIL 3 in 0.1s",
        ),
        ("5 of 48 START test one_row_per_x ......... [RUN]", None),
        ("5 of 48 PASS one_row_per_x ......... [PASS in 0.1s]", None),
        ("  File x.py, line 3, in y", None),
        (
            "dagster._core.definitions.events.Failure: the file x is damaged: write it again",
            "the file x is damaged: write it again",
        ),
        ("warehouse.settings.MissingSetting: LANDING_URL: Field required", "LANDING_URL: Field required"),
    ],
)
def test_failed_tests_of_dbt_and_reasons_of_failures_are_told(line: str, short: str | None) -> None:
    assert in_short(line) == short
