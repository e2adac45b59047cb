"""Encrypts what is stored in raw again, under the first of the keys. After it the old key may be taken away.

Rows say the same as before, so no day becomes stale. What a rotation leaves is, byte for byte, what loading everything
anew under the new key would write.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from ingestion.encryption.tokens import PREFIX, KeyRing

# Rows in memory at a time, of at most 20 KB of JSON each.
BATCH_ROWS: Final = 2_000
# Each table of raw that holds values of props, and its columns that do, with their types.
_TABLES: Final = (
    ("events", {"props": "jsonb"}),
    ("duplicate_events", {"candidate": "jsonb"}),
    ("rejected_events", {"candidate": "jsonb", "line": "text"}),
)


@dataclass(frozen=True, slots=True)
class RotationReport:
    """Rows that were written again, and values in them that no key opens and that stayed as they are."""

    rows: int
    unreadable: int


def rotate(
    connection: psycopg.Connection, keys: KeyRing, *, log: Callable[[str], None] | None = None
) -> RotationReport:
    """Renew every encrypted value that the first key did not make: a day's events, or a table, in one transaction.

    Loads wait meanwhile. A rotation that dies is run again and goes on where it was. As long as `unreadable` is not 0
    there are values of keys that are not given; they need these keys, or have never been encrypted values.
    """
    rows = unreadable = 0
    for table, columns in _TABLES:
        for partition in _partitions(connection, table):
            report = _rotate_table(connection, partition, columns, keys)
            if log and report.rows:
                log(f"{partition.as_string()}: {report.rows:,} rows")
            rows += report.rows
            unreadable += report.unreadable
    return RotationReport(rows, unreadable)


def _partitions(connection: psycopg.Connection, table: str) -> list[sql.Identifier]:
    found = connection.execute(
        "select relname from pg_partition_tree(%s::regclass) inner join pg_class on pg_class.oid = relid"
        " where isleaf order by relname",
        [f"raw.{table}"],
    ).fetchall()
    # A table that is not partitioned has no tree.
    return [sql.Identifier("raw", name) for (name,) in found or [(table,)]]


def _rotate_table(
    connection: psycopg.Connection, table: sql.Identifier, columns: dict[str, str], keys: KeyRing
) -> RotationReport:
    texts = [sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns]
    select = sql.SQL("select ctid::text, {texts} from {table} where concat_ws(' ', {texts}) ~ {old}").format(
        texts=sql.SQL(", ").join(texts),
        table=table,
        old=sql.Literal(f'"{PREFIX}(?!{keys.current_prefix.removeprefix(PREFIX)})[0-9a-f]{{8}}:'),
    )
    values = [
        sql.SQL("{} = %s::{}").format(sql.Identifier(name), sql.Identifier(kind)) for name, kind in columns.items()
    ]
    update = sql.SQL("update {} set {} where ctid = %s::tid").format(table, sql.SQL(", ").join(values))
    rows = unreadable = 0

    def count_unreadable() -> None:
        nonlocal unreadable
        unreadable += 1

    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("set local synchronous_commit = on")
        # Nobody moves a row away under its place. Loads lock the ledger first, and so does this.
        cursor.execute("lock table ops.loads in share row exclusive mode")
        cursor.execute(sql.SQL("lock table {} in share row exclusive mode").format(table))
        with connection.cursor("rotated_rows") as stored:
            stored.execute(select)
            while batch := stored.fetchmany(BATCH_ROWS):
                changed = []
                for place, *old in batch:
                    new = [None if text is None else keys.renew_json(text, count_unreadable) for text in old]
                    if new != old:
                        changed.append((*new, place))
                cursor.executemany(update, changed)
                rows += len(changed)
    return RotationReport(rows, unreadable)
