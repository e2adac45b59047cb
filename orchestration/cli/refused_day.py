"""The command `publish-refused-day DAY`: publishes a day in spite of checks that refuse it."""

from datetime import date

import click

from orchestration.cli.day_ranges import run_job
from orchestration.cli.environment import Day


@click.command("publish-refused-day")
@click.argument("day", type=Day(), metavar="DAY")
@click.option("--check", "checks", multiple=True, required=True, help="a check to overrule; repeat it for more")
@click.option("--reason", required=True, help="why the day is right all the same; kept with the day")
@click.option("--name", required=True, help="the person who decides; kept with the day")
def publish_refused_day(day: date, checks: tuple[str, ...], reason: str, name: str) -> None:
    """Publish DAY (UTC, YYYY-MM-DD) although the named checks refuse it, by a run of the job publish_refused_day.

    Every other blocking check has to pass. The override ends when a named check finds another value on the day.
    """
    run_job(
        "publish_refused_day",
        {"day": day.isoformat(), "checks": list(dict.fromkeys(checks)), "reason": reason, "name": name},
    )
