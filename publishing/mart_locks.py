"""Locks of published tables and views: readers are kept out while a mart changes."""

import time
from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import sql

from publishing.marts import Mart

# Publication waits this long for a BI query that holds a mart, and is then tried again.
LOCK_SECONDS: Final = 30
# Each try to lock all changing marts waits this long for each, and longer every time. After 1 s Postgres would look for
# deadlocks and could end a reader's query.
_FIRST_TRY_MS: Final = 50
_LONGEST_TRY_MS: Final = 800
_BETWEEN_TRIES_SECONDS: Final = 0.05


def lock(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> None:
    """Lock these marts against readers, all or none.

    A partial lock could deadlock with a reader that holds one mart and waits for another.

    Raises:
        psycopg.errors.LockNotAvailable: A mart was still being read after LOCK_SECONDS.
    """
    if not marts:
        return
    relations = sql.SQL(", ").join(mart.relation for mart in marts)
    (outer_timeout,) = cursor.execute("select current_setting('lock_timeout')").fetchone() or ("0",)
    deadline = time.monotonic() + LOCK_SECONDS
    try_ms = _FIRST_TRY_MS
    while True:
        try:
            with cursor.connection.transaction():
                cursor.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(try_ms)))
                cursor.execute(sql.SQL("lock table {} in access exclusive mode").format(relations))
                cursor.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(outer_timeout)))
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(_BETWEEN_TRIES_SECONDS)
            try_ms = min(2 * try_ms, _LONGEST_TRY_MS)
        else:
            return


def is_view(cursor: psycopg.Cursor, mart: Mart) -> bool:
    """Return whether a view is published under the mart's name, whatever its contract declares."""
    found = cursor.execute(
        "select relkind = 'v' from pg_class where oid = to_regclass(%s)", [f"{mart.schema}.{mart.name}"]
    ).fetchone()
    return bool(found and found[0])
