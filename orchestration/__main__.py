"""The command line of the warehouse: `python -m orchestration COMMAND`, or `warehouse COMMAND`; `--help` lists them."""

import logging
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from orchestration.cli import (
    alerts,
    backup,
    bi,
    checks,
    day_ranges,
    doctor,
    encryption,
    entity_events,
    erasures,
    explain,
    plan,
    refused_day,
    report,
    roles,
    sample,
    semantic_layer,
    silent_day,
    status,
    subjects,
)
from orchestration.cli.dagster_process import Deployment, DeploymentError, make_home
from orchestration.cli.dashboard_server import DashboardServer, DashboardServerError
from orchestration.cli.dashboard_settings import PYTHON, folder_of
from orchestration.cli.environment import provisioned_warehouse, read_settings, say
from warehouse.connection import CHECKOUT, Warehouse, WarehouseUnavailable
from warehouse.embedded.binaries import EmbeddedServerError
from warehouse.embedded.server import EmbeddedServer
from warehouse.env_file import SettingsFileError
from warehouse.roles.logins import LoginError

EXPECTED = (
    *(EmbeddedServerError, WarehouseUnavailable, DeploymentError, SettingsFileError, LoginError),
    DashboardServerError,
)
# As shells have it: 128 and the number of the signal.
INTERRUPTED = 130


class Commands(click.Group):
    """A group whose help lists its commands in the order of their definition, each with its whole first sentence."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        cmd.short_help = (cmd.help or "").partition("\n\n")[0].replace("\n", " ")
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.pass_context
def warehouse(context: click.Context) -> None:
    """Run the warehouse of this checkout."""
    context.obj = read_settings()


@warehouse.command()
def start() -> None:
    """Start the embedded server and create what is missing in the warehouse."""
    found = provisioned_warehouse()
    say(f"the warehouse is database {found.database} at {found.host}, port {found.port}")


@warehouse.command()
def stop() -> None:
    """Stop the dashboards, Dagster and the embedded server of this checkout."""
    if DashboardServer(folder_of(), PYTHON).stop():
        say("the dashboards are stopped")
    if Deployment(Path(os.environ.get("DAGSTER_HOME") or CHECKOUT / ".dagster")).stop():
        say("Dagster is stopped")
    server = EmbeddedServer(CHECKOUT)
    if not server.has_died():
        _interrupt_runs(Warehouse.from_embedded(server))
    stopped = server.stop()
    say("the embedded server is stopped" if stopped else "the embedded server did not run")


def _interrupt_runs(found: Warehouse) -> None:
    """End the runs that a shell has started: without the server they could not record how they ended."""
    import psycopg

    from orchestration.cli.supervision import RUN_END_SECONDS
    from orchestration.instance import run_locks

    try:
        with found.connect(autocommit=True) as connection:
            for run in run_locks.interrupt_all(connection, seconds=RUN_END_SECONDS):
                say(f"run {run.run_id} (process {run.pid}) is interrupted; its days are run again later")
    except (WarehouseUnavailable, psycopg.Error) as error:
        say(f"active runs cannot be interrupted: {error}")


@warehouse.command()
def dsn() -> None:
    """Print the DSN for a BI tool, and nothing else."""
    click.echo(provisioned_warehouse().bi_dsn)


@warehouse.command()
@click.pass_obj
def env(settings: dict[str, str]) -> None:
    """Print the variables of the warehouse for `eval` in a shell, passwords included."""
    for name, value in (settings | provisioned_warehouse().shell_environment()).items():
        click.echo(f"export {name}={shlex.quote(value)}")


@warehouse.command()
def ui() -> int:
    """Run start, then Dagster: its web page, schedules and sensors, until Ctrl-C or stop."""
    from orchestration.cli.supervision import supervise

    found = provisioned_warehouse()
    home = make_home(found.dagster_home)
    server = EmbeddedServer(CHECKOUT) if found.is_embedded else None
    return supervise(Deployment(home), found, server, say)


@warehouse.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def execute(command: tuple[str, ...]) -> int:
    """Run start, then exec COMMAND with the warehouse's environment."""
    found = provisioned_warehouse()
    # Dagster refuses to start without its folder.
    make_home(found.dagster_home)
    try:
        os.execvpe(command[0], command, os.environ | found.environment())  # noqa: S606
    except OSError as error:
        say(f"error: cannot run {command[0]}: {error.strerror}")
        return 127


for _command in (
    status.status,
    doctor.doctor,
    alerts.alerts,
    checks.checks,
    plan.plan,
    day_ranges.backfill,
    day_ranges.reload,
    silent_day.declare_silent_day,
    refused_day.publish_refused_day,
    entity_events.entity_events,
    explain.explain,
    report.report,
    subjects.erase_subject,
    subjects.export_subject,
    subjects.withdraw_consent,
    erasures.erasures,
    roles.roles,
    bi.bi,
    semantic_layer.metricflow,
    encryption.encryption,
    backup.backup,
    backup.restore,
    sample.sample,
):
    warehouse.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code. `exec` does not return."""
    try:
        return warehouse.main(arguments, standalone_mode=False) or 0
    except click.UsageError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        say(f"error: {error.message}")
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except EXPECTED as error:
        say(f"error: {error}")
        return 1


def run() -> None:
    """Run the command of this process's arguments."""
    # Starting takes a second or two, and longer after a crash: say what it waits for.
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    sys.exit(main())


if __name__ == "__main__":
    run()
