"""Runs of the code location as Dagster does them, in this process or in one of their own that can be killed.

`python -m tests.support.dagster_runs FIRST LAST [backfill]` is the latter; it finds its warehouse in the environment.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from orchestration.run_windows import run_tags
from tests.support.code_location import definitions, settings_of
from tests.support.pipeline import Pipeline
from warehouse.window import ONE_DAY, Window

CHECKOUT = Path(__file__).parents[2]
GOLDEN_APPLICATION = CHECKOUT / "tests" / "golden" / "application.sql"


@dataclass(frozen=True)
class Run:
    """A run that has ended."""

    run_id: str
    is_success: bool
    events: Sequence[dg.DagsterEvent]
    log: str

    @property
    def error(self) -> str:
        """Return what a person reads first: the messages of the failed steps, or of the run when none began."""
        failed = [event.event_specific_data.error for event in self.events if event.is_step_failure]  # type: ignore[union-attr]
        if not failed:
            failed = [event.event_specific_data.error for event in self.events if event.is_failure]  # type: ignore[union-attr]
        return "\n".join(str(error) for error in failed)

    @property
    def failed_steps(self) -> set[str | None]:
        return {event.step_key for event in self.events if event.is_step_failure}

    @property
    def succeeded_steps(self) -> set[str | None]:
        return {event.step_key for event in self.events if event.is_step_success}

    @property
    def was_tried_again(self) -> bool:
        return any(event.is_step_up_for_retry for event in self.events)

    def check(self, name: str, asset: str = "") -> dg.AssetCheckEvaluation:
        """Return the result of a check of this run; several assets may have a check of one name."""
        [evaluation] = [
            event.asset_check_evaluation_data
            for event in self.events
            if event.event_type_value == "ASSET_CHECK_EVALUATION"
            and event.asset_check_evaluation_data.check_name == name
            and asset in ("", event.asset_check_evaluation_data.asset_key.to_user_string())
        ]
        return evaluation

    def metadata(self, asset: str) -> dict[str | None, dict[str, object]]:
        """The metadata of an asset's materializations, by partition."""
        materializations = [
            event.step_materialization_data.materialization for event in self.events if event.is_step_materialization
        ]
        return {
            found.partition: {name: value.value for name, value in found.metadata.items()}
            for found in materializations
            if found.asset_key.to_user_string() == asset
        }


class DagsterRuns:
    """Runs on the warehouse and landing folder of a pipeline, whose application tables are the golden ones."""

    def __init__(self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
        definitions()
        self.pipeline = pipeline
        self.environment = settings_of(pipeline.warehouse, pipeline.landing)
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        (pipeline.landing / "events").mkdir(parents=True, exist_ok=True)
        assert pipeline.warehouse.application_url is not None
        with psycopg.connect(pipeline.warehouse.application_url) as application:
            application.execute(GOLDEN_APPLICATION.read_text())  # type: ignore[call-overload]

    def run(self, window: Window, *, assets: Sequence[str] = (), job: str = "daily_refresh") -> Run:
        """A job for a window, or only these assets of it."""
        return run_here(window, assets, job)

    def start(self, window: Window, output: Path, *job: str, **settings: str) -> "subprocess.Popen[bytes]":
        """Run the job in a process of its own, with its log in a file, since a full pipe would block the run."""
        *_, last = window.days()
        days = window.start.isoformat(), last.isoformat()
        with output.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.support.dagster_runs", *days, *job],
                cwd=CHECKOUT,
                env=os.environ | self.environment | settings,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


def run_here(window: Window, assets: Sequence[str] = (), job: str = "daily_refresh") -> Run:
    """Run a job in this process."""
    resolved = definitions().resolve_job_def(job)
    with dg.DagsterInstance.ephemeral() as instance:
        result = resolved.execute_in_process(
            instance=instance,
            tags=run_tags(window),
            raise_on_error=False,
            asset_selection=[dg.AssetKey.from_user_string(asset) for asset in assets] or None,
        )
        log = "\n".join(entry.user_message for entry in instance.all_logs(result.run_id))
        return Run(result.run_id, result.success, result.all_events, log)


def backfill_here(start: str, end: str) -> tuple[Run, list[tuple[str, str]]]:
    """Run the job backfill in this process. Return it, and the first and last day of each run that it made."""
    config = {"ops": {"backfill_op": {"config": {"start": start, "end": end}}}}
    job = definitions().resolve_job_def("backfill")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)
        log = "\n".join(entry.user_message for entry in instance.all_logs(result.run_id))
        runs = instance.get_runs(dg.RunsFilter(job_name="daily_refresh"))
        ran = [
            (run.tags["dagster/asset_partition_range_start"], run.tags["dagster/asset_partition_range_end"])
            for run in reversed(runs)
        ]
        return Run(result.run_id, result.success, result.all_events, log), ran


if __name__ == "__main__":
    wanted = Window(date.fromisoformat(sys.argv[1]), date.fromisoformat(sys.argv[2]) + ONE_DAY)
    if sys.argv[3:]:
        ended, _ = backfill_here(wanted.start.isoformat(), wanted.end.isoformat())
    else:
        ended = run_here(wanted)
    sys.stdout.write(f"{ended.log}\n{ended.error}\n")
    sys.exit(0 if ended.is_success else 1)
