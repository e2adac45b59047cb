"""Sends validated events to the temporary table contenders, in Postgres's binary format: half the CPU of text, on both
sides of the connection. What becomes of them is in resolution.py.
"""

from collections.abc import Iterable
from typing import Any, Final

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

from ingestion.schema import ATTRIBUTION_COLUMNS, CANDIDATE_COLUMN_NAMES, EVENT_COLUMNS

_COPY: Final = f"copy contenders ({', '.join(CANDIDATE_COLUMN_NAMES)}, load_id, line_number) from stdin (format binary)"
# Of "numeric(20, 3) not null" the name of the type: numeric.
_TYPES: Final = (
    *(definition.split("(")[0].split()[0] for _, definition in (*EVENT_COLUMNS, *ATTRIBUTION_COLUMNS)),
    "bigint",
    "bigint",
)


class _JsonText(Dumper):
    """Text that is JSON already, as a jsonb, which begins with the version of its format."""

    format = Format.BINARY
    oid = psycopg.adapters.types["jsonb"].oid

    def dump(self, obj: str) -> bytes:
        return b"\x01" + obj.encode()


def copy_candidates(connection: psycopg.Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """Send rows of the values of Accepted, a load id and a line number, in the connection's transaction."""
    # A cursor of its own: elsewhere a text is a text.
    with connection.cursor() as cursor:
        cursor.adapters.register_dumper(str, _JsonText)
        with cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for row in rows:
                copy.write_row(row)
