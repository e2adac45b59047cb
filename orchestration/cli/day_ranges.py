"""Commands that run a job for a range of days, followed in short lines: `reload`, `backfill`."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from orchestration.cli.dagster_process import make_home
from orchestration.cli.environment import warehouse_for_run
from orchestration.cli.run_output import in_short
from warehouse import child_processes
from warehouse.window import Window


@click.command()
@click.argument("start", metavar="START")
@click.argument("end", metavar="END")
def reload(start: str, end: str) -> None:
    """Load landing days again whose files were loaded under other rules than today's, also unchanged files.

    START is the first landing day, YYYY-MM-DD. END is the day after the last one: END itself is not loaded again.

    Rules are code, lists and settings. Event days whose rows come out differently become stale; Dagster's sensor runs
    them while `make ui` is running. Files that are missing now keep their rows, and are named.

    The run appears in Dagster's timeline. Its full log is reload.log in Dagster's folder.
    """
    _run_job("reload_landing_days", start, end)


@click.command()
@click.argument("start", metavar="START")
@click.argument("end", metavar="END")
def backfill(start: str, end: str) -> None:
    """Run the days of a range that are not published or stale, oldest first, and publish them chunk by chunk.

    START is the first day, YYYY-MM-DD. END is the day after the last one: END itself is not run.

    A chunk has WAREHOUSE_CHUNK_DAYS days, 10 by default. A command that was interrupted goes on where it ended. A day
    that a check refuses is held back and named at the end; the other days are published.

    The runs appear in Dagster's timeline. The full log is backfill.log in Dagster's folder.
    """
    _run_job("backfill", start, end)


def _run_job(job: str, start: str, end: str) -> None:
    """Run a job of one op for days. Raises click.UsageError when the arguments name no days."""
    try:
        window = Window.parse(start, end)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    run_job(job, {"start": window.start.isoformat(), "end": window.end.isoformat()})


def run_job(job: str, op_config: Mapping[str, str | list[str]]) -> None:
    """Run a job of one op and print its lines in short. Its full log is NAME.log in Dagster's folder.

    Raises click.ClickException when the run has failed.
    """
    config = {"ops": {f"{job}_op": {"config": op_config}}}
    warehouse = warehouse_for_run()
    command = [str(Path(sys.executable).with_name("dg")), "launch", "--job", job]
    log_file = make_home(warehouse.dagster_home) / f"{job.partition('_')[0]}.log"
    with (
        log_file.open("w") as log,
        # It ends with this process, however this one ends.
        child_processes.start(
            [*command, "--config-json", json.dumps(config)],
            environment=os.environ | warehouse.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101
        for text in process.stdout:
            line = text.decode(errors="replace")
            log.write(line)
            if short := in_short(line):
                click.echo(short)
    if process.returncode:
        raise click.ClickException(f"the run has failed; {log_file} has its full log")
