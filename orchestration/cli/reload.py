"""The command `reload START END`: landing days loaded again under today's rules, as a run of Dagster."""

import click

from orchestration.cli.job_runs import parsed_window, run_job


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
    window = parsed_window(start, end)
    days = {"start": window.start.isoformat(), "end": window.end.isoformat()}
    run_job("reload_landing_days", op="reload_landing_days_op", config=days)
