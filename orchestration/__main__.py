"""The warehouse from the command line: `python -m orchestration ACTION`; `--help` lists the actions.

Every target of the Makefile goes through it, so it imports nothing heavy.
"""

import argparse
import logging
import os
import shlex
import sys
from pathlib import Path

from orchestration.cli import backup_command, entity_events, reload, silent_day
from orchestration.cli import roles as roles
from orchestration.cli.dagster_process import Deployment, DeploymentError, make_home
from orchestration.cli.provision import prepare
from warehouse import env_file
from warehouse.connection import CHECKOUT, Warehouse, WarehouseUnavailable
from warehouse.embedded.binaries import EmbeddedServerError
from warehouse.embedded.server import EmbeddedServer

ACTIONS = {
    "start": "start the embedded server and create what is missing in the warehouse",
    "stop": "stop Dagster and the embedded server, whichever was started here",
    "status": "tell where the warehouse is and whether it answers (exit code 3: the embedded server does not run)",
    "dsn": "print what to enter in a BI tool, and nothing else",
    "env": "print the variables by which tools find the warehouse, for eval in a shell (with passwords)",
    "roles": roles.ABOUT,
    "entity-events": entity_events.ABOUT,
    "backup": backup_command.ABOUT_BACKUP,
    "restore": backup_command.ABOUT_RESTORE,
    "declare-silent-day": silent_day.ABOUT,
    "reload": reload.ABOUT,
    "ui": "do what start does, then run Dagster: its web page, schedules and sensors",
    "exec": "do what start does, then become COMMAND in this environment",
}
# Those with arguments of their own: what tells the parser about them, and what does it.
COMMANDS = {
    "roles": (roles.parser, roles.run),
    "entity-events": (entity_events.parser, entity_events.run),
    "backup": (backup_command.parser, backup_command.backup),
    "restore": (backup_command.parser, backup_command.restore),
    "declare-silent-day": (silent_day.parser, silent_day.run),
    "reload": (reload.parser, reload.run),
}
NOT_RUNNING = 3


def main(arguments: list[str]) -> int:
    """Do one action; return the exit code. `exec` does not return."""
    parser = argparse.ArgumentParser(prog="python -m orchestration", description="The warehouse of this checkout.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in ACTIONS.items():
        action = actions.add_parser(name, help=text, description=text)
        if name in COMMANDS:
            COMMANDS[name][0](action)
        if name == "exec":
            action.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    options = parser.parse_args(arguments)
    command: list[str] = getattr(options, "command", [])
    if command[:1] == ["--"]:
        command = command[1:]
    if options.action == "exec" and not command:
        parser.error("exec needs a command")
    try:
        added = env_file.from_env_file(os.environ, CHECKOUT) | env_file.venv_path(os.environ)
    except env_file.SettingsFileError as error:
        _say(f"error: {error}")
        return 1
    os.environ.update(added)
    try:
        if options.action == "stop":
            return _stop()
        if options.action == "status":
            return _status()
        warehouse = Warehouse.from_environment()
        prepare(warehouse)
        if options.action in COMMANDS:
            # The settings that a command reads are those of a process that Dagster starts.
            os.environ.update(warehouse.environment())
            return COMMANDS[options.action][1](warehouse, options)
        if options.action == "ui":
            return _run_dagster(warehouse)
    except (EmbeddedServerError, WarehouseUnavailable, DeploymentError) as error:
        _say(f"error: {error}")
        return 1
    if options.action == "start":
        _say(f"the warehouse is database {warehouse.database} at {warehouse.host}, port {warehouse.port}")
    elif options.action == "dsn":
        sys.stdout.write(f"{warehouse.bi_dsn}\n")
    elif options.action == "env":
        for name, value in (added | warehouse.shell_environment()).items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    else:
        return _become(command, warehouse)
    return 0


def _run_dagster(warehouse: Warehouse) -> int:
    from orchestration.cli.supervision import supervise

    home = make_home(warehouse.dagster_home)
    server = EmbeddedServer(CHECKOUT) if warehouse.is_embedded else None
    return supervise(Deployment(home), warehouse, server, _say)


def _stop() -> int:
    if Deployment(Path(os.environ.get("DAGSTER_HOME") or CHECKOUT / ".dagster")).stop():
        _say("Dagster is stopped")
    server = EmbeddedServer(CHECKOUT)
    if not server.has_died():
        _interrupt_runs(Warehouse.from_embedded(server))
    stopped = server.stop()
    _say("the embedded server is stopped" if stopped else "the embedded server did not run")
    return 0


def _interrupt_runs(warehouse: Warehouse) -> None:
    """End the runs that a shell has started: without the server they could not record how they ended."""
    import psycopg

    from orchestration.cli.supervision import RUN_END_SECONDS
    from orchestration.instance import run_locks

    try:
        with warehouse.connect(autocommit=True) as connection:
            for run in run_locks.interrupt_all(connection, seconds=RUN_END_SECONDS):
                _say(f"run {run.run_id} (process {run.pid}) is interrupted; its days are run again later")
    except (WarehouseUnavailable, psycopg.Error) as error:
        _say(f"runs that are under way cannot be interrupted: {error}")


def _status() -> int:
    if url := os.environ.get("WAREHOUSE_URL", "").strip():
        given = Warehouse.from_url(url)
        given.connect().close()
        _say(f"WAREHOUSE_URL names database {given.database} at {given.host}, port {given.port}, which answers")
        return 0
    status = EmbeddedServer(CHECKOUT).status()
    if status.port is None:
        _say("the embedded server was never started")
    else:
        state = "runs" if status.is_running else "does not run"
        _say(f"the embedded server {state}; port {status.port}, data in {status.data}")
    return 0 if status.is_running else NOT_RUNNING


def _become(command: list[str], warehouse: Warehouse) -> int:
    # Dagster refuses to start without its folder.
    try:
        make_home(warehouse.dagster_home)
    except DeploymentError as error:
        _say(f"error: {error}")
        return 1
    try:
        os.execvpe(command[0], command, os.environ | warehouse.environment())  # noqa: S606
    except OSError as error:
        _say(f"error: cannot run {command[0]}: {error.strerror}")
        return 127


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    # Starting takes a second or two, and longer after a crash: say what it waits for.
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    sys.exit(main(sys.argv[1:]))
