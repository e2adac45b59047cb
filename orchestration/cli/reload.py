"""The command `reload START END`: landing days loaded again under today's rules, as a run of Dagster."""

import json
import os
import subprocess
import sys
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
    try:
        window = Window.parse(start, end)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    warehouse = warehouse_for_run()
    days = {"start": window.start.isoformat(), "end": window.end.isoformat()}
    config = {"ops": {"reload_landing_days_op": {"config": days}}}
    command = [str(Path(sys.executable).with_name("dg")), "launch", "--job", "reload_landing_days"]
    log_file = make_home(warehouse.dagster_home) / "reload.log"
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
