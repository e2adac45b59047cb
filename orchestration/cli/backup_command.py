"""`python -m orchestration backup FILE` and `restore FILE`: the warehouse's database as one file, and back."""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from warehouse.connection import Warehouse

ABOUT_BACKUP: Final = "write the warehouse's database to FILE, with roles, rights and policies of its readers"
ABOUT_RESTORE: Final = "fill a warehouse that holds nothing yet from such a FILE"
_NOT_INSIDE: Final = """\
not in the file, so keep copies of them too:
  {landing}: the landing files, which a corrected rule or a replay reads again
  {checkout}/.env.local: settings and keys, without which hashes and encrypted props cannot be made again
  {application}: the product's own database
"""


def parser(arguments: argparse.ArgumentParser) -> None:
    """Add what these commands understand."""
    arguments.add_argument("file", type=Path, metavar="FILE")


def backup(warehouse: Warehouse, options: argparse.Namespace) -> int:
    """Write the backup; return the exit code."""
    from orchestration.cli.backup import BackupError, write
    from warehouse.connection import CHECKOUT

    try:
        written = write(warehouse, options.file)
    except BackupError as error:
        return _failed(error)
    application = "APP_DATABASE_URL" if not warehouse.is_embedded else "database marketplace of the embedded server"
    landing = os.environ.get("LANDING_URL") or "LANDING_URL"
    sys.stderr.write(f"{options.file}: {written / 1e6:,.1f} MB\n")
    sys.stderr.write(_NOT_INSIDE.format(landing=landing, checkout=CHECKOUT, application=application))
    return 0


def restore(warehouse: Warehouse, options: argparse.Namespace) -> int:
    """Fill the warehouse; return the exit code."""
    from orchestration.cli.backup import BackupError, read

    try:
        report = read(warehouse, options.file)
    except BackupError as error:
        return _failed(error)
    sys.stderr.write(f"{options.file} is restored: {report.published_days:,} published days, {report.logins} logins\n")
    if report.without_password:
        sys.stderr.write(f"these logins have no password yet: {', '.join(report.without_password)}\n")
    sys.stderr.write("bi_reader and the portals have the passwords of this server: make -s dsn shows bi_reader's\n")
    return 0


def _failed(error: Exception) -> int:
    sys.stderr.write(f"error: {error}\n")
    return 1
