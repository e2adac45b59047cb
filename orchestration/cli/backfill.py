"""The command `backfill START END`: a range of days run in chunks that are published one by one."""

import click

from orchestration.cli.job_runs import parsed_window, run_job


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
    window = parsed_window(start, end)
    days = {"start": window.start.isoformat(), "end": window.end.isoformat()}
    run_job("backfill", op="backfill_op", config=days)
