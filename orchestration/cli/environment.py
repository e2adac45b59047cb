"""The environment of a command: settings from .env.local, the warehouse provisioned, messages, days as arguments."""

import os
import sys
from datetime import date
from typing import Any

import click

from orchestration.cli.provision import prepare
from warehouse import env_file
from warehouse.connection import CHECKOUT, Warehouse
from warehouse.window import parse_day


class Day(click.ParamType[date]):
    """An argument that is a day, YYYY-MM-DD."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return parse_day(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def read_settings() -> dict[str, str]:
    """Add the settings of .env.local and the programs of .venv to this process's environment; return what was added."""
    added = env_file.from_env_file(os.environ, CHECKOUT) | env_file.venv_path(os.environ)
    os.environ.update(added)
    return added


def provisioned_warehouse() -> Warehouse:
    """Start the embedded server where it is used, create what is missing in the warehouse, and return the warehouse."""
    warehouse = Warehouse.from_environment()
    prepare(warehouse)
    return warehouse


def warehouse_for_run() -> Warehouse:
    """Provision the warehouse, and give this process the environment that Dagster's processes have."""
    warehouse = provisioned_warehouse()
    os.environ.update(warehouse.environment())
    return warehouse


def say(text: str) -> None:
    """Write a line to standard error; standard output is for results alone."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
