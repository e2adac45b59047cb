"""Runs of Dagster's jobs from the command line: started, followed in short lines, and ended with the command."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from orchestration.cli.dagster_process import make_home
from orchestration.cli.environment import warehouse_for_run
from orchestration.cli.run_output import in_short
from warehouse import child_processes
from warehouse.window import Window


def parsed_window(start: str, end: str) -> Window:
    """Return the window of two arguments. Raises click.UsageError when they are none."""
    try:
        return Window.parse(start, end)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def run_job(job: str, *, op: str, config: Mapping[str, Any]) -> None:
    """Run a job of one op and print its lines in short. Its full log is NAME.log in Dagster's folder.

    Raises click.ClickException when the run has failed.
    """
    warehouse = warehouse_for_run()
    command = [str(Path(sys.executable).with_name("dg")), "launch", "--job", job]
    log_file = make_home(warehouse.dagster_home) / f"{job.partition('_')[0]}.log"
    with (
        log_file.open("w") as log,
        # It ends with this process, however this one ends.
        child_processes.start(
            [*command, "--config-json", json.dumps({"ops": {op: {"config": dict(config)}}})],
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
