"""Rotation of the encryption key: stored values of raw are encrypted again with the first key.

Afterwards the old key can be removed. The decrypted values do not change, so no day becomes stale. Rows after a
rotation equal, byte for byte, the rows of a rebuild under the new key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psycopg

from ingestion.encryption.tokens import PREFIX, KeyRing

# Rows in memory at a time, of at most 20 KB of JSON each.
BATCH_ROWS: Final = 2_000
# Tables of raw that hold values of props, and those of their columns, with types.
_TABLES: Final = (
    ("events", {"props": "jsonb"}),
    ("duplicate_events", {"candidate": "jsonb"}),
    ("rejected_events", {"candidate": "jsonb", "line": "text"}),
)


@dataclass(frozen=True, slots=True)
class RotationReport:
    """The numbers of rows written again, and of values that no key decrypts, which stayed as they are."""

    rows: int
    unreadable: int


def rotate(
    connection: psycopg.Connection, keys: KeyRing, *, log: Callable[[str], None] | None = None
) -> RotationReport:
    """Encrypt every value of another key again with the first key, one day or table a transaction.

    Loads wait meanwhile. An interrupted rotation continues where it stopped when it is run again. `unreadable` counts
    values whose key is not given, and texts that only resemble encrypted values.
    """
    rows = unreadable = 0
    for table, columns in _TABLES:
        for partition in _partitions(connection, table):
            report = _rotate_table(connection, partition, columns, keys)
            if log and report.rows:
                log(f"{partition}: {report.rows:,} rows")
            rows += report.rows
            unreadable += report.unreadable
    return RotationReport(rows, unreadable)


def _partitions(connection: psycopg.Connection, table: str) -> list[str]:
    found = connection.execute(
        "select relname from pg_partition_tree(%s::regclass) inner join pg_class on pg_class.oid = relid"
        " where isleaf order by relname",
        [f"raw.{table}"],
    ).fetchall()
    # A table that is not partitioned has no tree.
    return [f"raw.{name}" for (name,) in found or [(table,)]]


def _rotate_table(connection: psycopg.Connection, table: str, columns: dict[str, str], keys: KeyRing) -> RotationReport:
    texts = ", ".join(f"{name}::text" for name in columns)
    old_key = f'"{PREFIX}(?!{keys.current_prefix.removeprefix(PREFIX)})[0-9a-f]{{8}}:'
    values = ", ".join(f"{name} = %s::{kind}" for name, kind in columns.items())
    update = f"update {table} set {values} where ctid = %s::tid"
    rows = unreadable = 0

    def count_unreadable() -> None:
        nonlocal unreadable
        unreadable += 1

    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("set local synchronous_commit = on")
        # Rows keep their ctid while the table is locked. Loads lock ops.loads first; another order could deadlock.
        cursor.execute("lock table ops.loads in share row exclusive mode")
        cursor.execute(f"lock table {table} in share row exclusive mode")
        with connection.cursor("rotated_rows") as stored:
            stored.execute(f"select ctid::text, {texts} from {table} where concat_ws(' ', {texts}) ~ %s", [old_key])
            while batch := stored.fetchmany(BATCH_ROWS):
                changed = []
                for ctid, *old in batch:
                    new = [None if text is None else keys.renew_json(text, count_unreadable) for text in old]
                    if new != old:
                        changed.append((*new, ctid))
                cursor.executemany(update, changed)
                rows += len(changed)
    return RotationReport(rows, unreadable)
