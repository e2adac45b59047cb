"""The command `declare-silent-day DAY`: declares that nothing happened on a day without events."""

from datetime import date

import click

from orchestration.cli.environment import Day, say, warehouse_for_run


@click.command("declare-silent-day")
@click.argument("day", type=Day(), metavar="DAY")
@click.option("--reason", required=True, help="why the day has no events; kept with the day")
@click.option("--name", required=True, help="the person who declares it; kept with the day")
def declare_silent_day(day: date, reason: str, name: str) -> None:
    """Declare that nothing happened on DAY (UTC, YYYY-MM-DD), so that it may be published without events."""
    from ingestion import silent_days
    from warehouse.settings import MissingSetting, settings

    warehouse = warehouse_for_run()
    try:
        first_day = settings().warehouse_start_date
        with warehouse.connect() as connection:
            silent_days.declare(connection, day, reason=reason, name=name, first_day=first_day)
    except (silent_days.InvalidDeclaration, MissingSetting) as error:
        raise click.ClickException(str(error)) from error
    say(f"{day} is declared silent; run the job daily_refresh for it to publish it")
