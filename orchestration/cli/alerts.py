"""The command `alerts`: what is open, a test of the channels, and failed runs that nobody will run again."""

import os

import click

from orchestration.cli.environment import provisioned_warehouse, say


@click.command()
@click.option("--test", "is_test", is_flag=True, help="Send a message to every channel that is configured.")
@click.option("--dismiss", "run_id", metavar="RUN", help="Forget failed run RUN, whose work is not needed any more.")
def alerts(*, is_test: bool, run_id: str | None) -> int:
    """List open alerts, test the channels of alerts, or dismiss a failed run.

    Exit code 1: a channel did not take the test message, or the run is none that failed.
    """
    if is_test:
        return _test()
    from alerting import delivery, failed_runs
    from alerting.messages import message
    from warehouse.settings import DEFAULT_UI_URL

    with provisioned_warehouse().connect(autocommit=True) as connection:
        if run_id:
            days = failed_runs.dismiss(connection, run_id)
            say(f"run {run_id} is dismissed: its alert is over within a minute" if days else _unknown(run_id))
            return 0 if days else 1
        found = delivery.alerts(connection)
        for alert in found:
            lines = message(alert, is_over=False, ui_url=os.environ.get("WAREHOUSE_UI_URL", DEFAULT_UI_URL)).lines
            click.echo("\n".join([alert.title, *(f"  {line}" for line in lines)]))
        for channel, count, error in delivery.undelivered(connection):
            click.echo(f"{count} messages wait for channel {channel}: {error}")
    if not found:
        say("no alert is open")
    return 0


def _test() -> int:
    from alerting.channels import ChannelError, ChannelSettingsError, of_environment
    from alerting.messages import Message

    try:
        channels = of_environment(os.environ)
    except ChannelSettingsError as error:
        raise click.ClickException(str(error)) from None
    if not channels:
        raise click.ClickException("no channel is configured: set WAREHOUSE_ALERT_WEBHOOK or WAREHOUSE_ALERT_SMTP")
    failed = False
    for channel in channels:
        try:
            channel.send(Message("alert-test", "TEST: alerts of the warehouse come here", ("To do: nothing.",)))
            say(f"channel {channel.name} took the message")
        except ChannelError as error:
            failed = True
            say(f"error: {error}")
    return 1 if failed else 0


def _unknown(run_id: str) -> str:
    return f"error: run {run_id} is none whose failure is open; warehouse alerts lists those"
