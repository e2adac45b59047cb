"""`python -m orchestration reload START END`: landing days loaded again under today's rules, as a run of Dagster."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from orchestration.cli.dagster_process import make_home
from orchestration.cli.run_output import in_short
from warehouse import child_processes
from warehouse.connection import Warehouse
from warehouse.window import Window

ABOUT = "load landing days again whose files were loaded under other rules than today's"


def parser(arguments: argparse.ArgumentParser) -> None:
    """Add what this command understands."""
    arguments.description = (
        f"{ABOUT[0].upper()}{ABOUT[1:]}, also when the files have not changed. Rules are code, lists and settings."
        " Event days whose rows come out otherwise become stale; Dagster's sensor runs them while `make ui` runs."
        " Files that are gone keep their rows, and are named."
    )
    arguments.add_argument("start", metavar="START", help="the first landing day, YYYY-MM-DD")
    arguments.add_argument(
        "end", metavar="END", help="the day after the last landing day, YYYY-MM-DD: END itself is not loaded again"
    )


def run(warehouse: Warehouse, options: argparse.Namespace) -> int:
    """Do it; return the exit code. The run appears in Dagster's timeline, and its log in reload.log of its folder."""
    try:
        window = Window.parse(options.start, options.end)
    except ValueError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
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
                sys.stdout.write(f"{short}\n")
                sys.stdout.flush()
    if process.returncode:
        sys.stderr.write(f"error: the run has failed; {log_file} holds all that it said\n")
        return 1
    return 0
