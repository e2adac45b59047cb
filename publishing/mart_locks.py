"""What tables and views of the published schemas have in common: how readers are kept out while they change, and their
comments.
"""

import time
from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import sql

from publishing.marts import Mart

# A BI query may hold a mart for a while; publication waits this long for it and no longer, and is tried again.
LOCK_SECONDS: Final = 30
# A try for all marts that change waits this long for each, and longer every time: never as long as the second after
# which Postgres looks for deadlocks and ends somebody, who could be a reader.
_FIRST_TRY_MS: Final = 50
_LONGEST_TRY_MS: Final = 800
_BETWEEN_TRIES_SECONDS: Final = 0.05


def lock(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> None:
    """Keep readers out of these marts, all of them or, while one is still read, none: a reader that has begun with
    another mart may wait for us while we wait for it. Raises LockNotAvailable after LOCK_SECONDS."""
    if not marts:
        return
    relations = sql.SQL(", ").join(mart.relation for mart in marts)
    (patience,) = cursor.execute("select current_setting('lock_timeout')").fetchone() or ("0",)
    deadline = time.monotonic() + LOCK_SECONDS
    try_ms = _FIRST_TRY_MS
    while True:
        try:
            with cursor.connection.transaction():
                cursor.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(try_ms)))
                cursor.execute(sql.SQL("lock table {} in access exclusive mode").format(relations))
                cursor.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(patience)))
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(_BETWEEN_TRIES_SECONDS)
            try_ms = min(2 * try_ms, _LONGEST_TRY_MS)
        else:
            return


def comment(cursor: psycopg.Cursor, mart: Mart) -> None:
    """Make the comments of a mart and its columns those of the contract."""
    found: dict[str, str] = dict(
        cursor.execute(
            "select coalesce(attname, ''), description from pg_description"
            " left join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0"
            " where objoid = %s::regclass and classoid = 'pg_class'::regclass",
            [f"{mart.schema}.{mart.name}"],
        ).fetchall()
    )
    wanted = {"": mart.description} | {column.name: column.description for column in mart.columns}
    for name, text in wanted.items():
        if found.get(name, "") != text:
            kind = "column {}.{}" if name else "view {}" if mart.is_view else "table {}"
            thing = sql.SQL(kind).format(mart.relation, *([sql.Identifier(name)] if name else []))
            cursor.execute(sql.SQL("comment on {} is {}").format(thing, sql.Literal(text)))


def is_view(cursor: psycopg.Cursor, mart: Mart) -> bool:
    """Whether a view is published under the mart's name, whatever its contract says."""
    found = cursor.execute(
        "select relkind = 'v' from pg_class where oid = to_regclass(%s)", [f"{mart.schema}.{mart.name}"]
    ).fetchone()
    return bool(found and found[0])
