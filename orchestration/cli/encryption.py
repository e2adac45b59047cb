"""The commands `encryption key|decrypt|rotate`: encrypted props by hand.

Keys come from WAREHOUSE_ENCRYPTION_KEY, never from an argument, which other users of the machine could read.
"""

import os
import sys
from typing import TYPE_CHECKING

import click

from orchestration.cli.environment import provisioned_warehouse, say

if TYPE_CHECKING:
    from ingestion.encryption.tokens import KeyRing


@click.group()
def encryption() -> None:
    """Make keys for encrypted props, decrypt values, rotate to a new key."""


@encryption.command("key")
def print_key() -> None:
    """Print a new key for WAREHOUSE_ENCRYPTION_KEY."""
    from ingestion.encryption.tokens import new_key

    click.echo(new_key())


@encryption.command("decrypt")
def decrypt_lines() -> None:
    """Read encrypted values, one a line, and print what they hold as JSON, one a line."""
    import msgspec

    from ingestion.encryption.tokens import UnreadableToken

    keys = _keys()
    for number, line in enumerate(sys.stdin, 1):
        # As psql prints a text, or as JSON does.
        token = line.strip().strip('"')
        try:
            click.echo(msgspec.json.encode(keys.decrypt(token)).decode() if token else "")
        except UnreadableToken as error:
            raise click.ClickException(f"line {number}: {error}") from error


@encryption.command("rotate")
def rotate_values() -> None:
    """Encrypt all stored values again under the first key."""
    from ingestion.encryption.rotation import rotate

    keys = _keys()
    with provisioned_warehouse().connect(autocommit=True) as connection:
        report = rotate(connection, keys, log=say)
    say(f"{report.rows:,} rows were encrypted again by the first key")
    if report.unreadable:
        raise click.ClickException(
            f"{report.unreadable:,} values match none of the keys: run it again with their key too"
        )


def _keys() -> "KeyRing":
    from ingestion.encryption.tokens import EncryptionSettingsError, KeyRing

    try:
        return KeyRing.parse(os.environ.get("WAREHOUSE_ENCRYPTION_KEY", ""))
    except EncryptionSettingsError as error:
        raise click.ClickException(str(error)) from error
