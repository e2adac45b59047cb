"""Command line of encryption: `python -m ingestion.encryption key|decrypt|rotate`.

Keys come from WAREHOUSE_ENCRYPTION_KEY and the warehouse from WAREHOUSE_URL. Other users of the machine could read
arguments.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

from ingestion.encryption.tokens import EncryptionSettingsError, KeyRing, UnreadableToken, new_key

ACTIONS: Final = {
    "key": "print a new key for WAREHOUSE_ENCRYPTION_KEY",
    "decrypt": "read encrypted values, one a line, and print each as JSON, one a line",
    "rotate": "encrypt all stored values again with the first key",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one action. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ingestion.encryption", description="Encrypted props.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in ACTIONS.items():
        actions.add_parser(name, help=text, description=text)
    action = parser.parse_args(arguments).action
    if action == "key":
        sys.stdout.write(f"{new_key()}\n")
        return 0
    try:
        keys = KeyRing.parse(os.environ.get("WAREHOUSE_ENCRYPTION_KEY", ""))
    except EncryptionSettingsError as error:
        _say(f"error: {error}")
        return 1
    return _decrypt(keys, sys.stdin, sys.stdout) if action == "decrypt" else _rotate(keys)


def _decrypt(keys: KeyRing, lines: Iterable[str], output: TextIO) -> int:
    import msgspec

    for number, line in enumerate(lines, 1):
        # psql prints a text without quotes, JSON with them.
        token = line.strip().strip('"')
        try:
            output.write(msgspec.json.encode(keys.decrypt(token)).decode() + "\n" if token else "\n")
        except UnreadableToken as error:
            _say(f"error: line {number}: {error}")
            return 1
    return 0


def _rotate(keys: KeyRing) -> int:
    import psycopg

    from ingestion.encryption.rotation import rotate

    url = os.environ.get("WAREHOUSE_URL")
    if not url:
        _say("error: WAREHOUSE_URL is missing: run it by `python -m orchestration exec -- python -m ...`")
        return 1
    with psycopg.connect(url, autocommit=True, options="-ctimezone=UTC") as connection:
        report = rotate(connection, keys, log=_say)
    _say(f"{report.rows:,} rows were encrypted again with the first key")
    if report.unreadable:
        _say(f"error: {report.unreadable:,} values match none of the keys: add their key and run it again")
        return 1
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
