"""Locks of published tables and views: readers are kept out while a mart changes its columns, policies or query.

Publications that only move rows take none of these locks.
"""

import time
from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import sql

from publishing.marts import Mart
from warehouse.single_values import value_of

# Any other lock of a publication: none of them keeps readers waiting.
LOCK_SECONDS: Final = 30
# A publication tries to lock its marts for this long while BI queries hold them.
WAIT_SECONDS: Final = 600
# Readers that come during a try wait for its end. A longer try would also delay them longer.
_TRY_MS: Final = 50
_BETWEEN_TRIES_SECONDS: Final = 0.2


class MartsInUse(Exception):
    """A session has held a mart for longer than a publication waits."""


def lock(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> None:
    """Lock these marts against readers, as lock_relations does."""
    lock_relations(cursor, [(mart.schema, mart.name) for mart in marts])


def lock_relations(cursor: psycopg.Cursor, relations: Sequence[tuple[str, str]]) -> None:
    """Lock published tables and views (schema, name) against readers, all or none, in the caller's transaction.

    A partial lock could deadlock with a reader that holds one mart and waits for another. No session is cancelled.
    Raises MartsInUse, which names the session, when a mart is still being read after WAIT_SECONDS.
    """
    if not relations:
        return
    statement = sql.SQL("lock table {} in access exclusive mode").format(
        sql.SQL(", ").join(sql.Identifier(*relation) for relation in relations)
    )
    deadline = time.monotonic() + WAIT_SECONDS
    while not _try_to_lock(cursor, statement):
        if time.monotonic() > deadline:
            raise MartsInUse(_in_use(cursor, relations))
        time.sleep(_BETWEEN_TRIES_SECONDS)


def _try_to_lock(cursor: psycopg.Cursor, statement: sql.Composed) -> bool:
    # A timeout of the statement bounds the wait for all of its locks; a timeout of locks is one for each.
    outer_timeout = value_of(cursor, "select current_setting('statement_timeout')")
    started = time.monotonic()
    try:
        with cursor.connection.transaction():
            cursor.execute(sql.SQL("set local statement_timeout = {}").format(sql.Literal(_TRY_MS)))
            cursor.execute(statement)
            cursor.execute(sql.SQL("set local statement_timeout = {}").format(sql.Literal(outer_timeout)))
    except psycopg.errors.QueryCanceled:
        if (time.monotonic() - started) * 1_000 < _TRY_MS:
            raise  # Somebody cancelled the publication.
        return False
    return True


def _in_use(cursor: psycopg.Cursor, relations: Sequence[tuple[str, str]]) -> str:
    """Return a sentence about the session that has held one of the marts for longest."""
    found = cursor.execute(
        """
        select locks.relation::regclass::text, locks.pid, coalesce(usename, 'unknown'),
            coalesce(nullif(application_name, ''), 'unknown'), to_char(xact_start at time zone 'UTC', 'HH24:MI:SS')
        from pg_locks as locks
        left join pg_stat_activity as sessions using (pid)
        where locks.granted and locks.relation = any(%s::regclass[]) and locks.pid <> pg_backend_pid()
        order by xact_start nulls last
        limit 1
        """,
        [[".".join(relation) for relation in relations]],
    ).fetchone()
    if found is None:
        return "readers held the marts one after another. Publish again when fewer queries run"
    relation, pid, user, application, since = found
    return (
        f"session {pid} (user {user}, application {application}) has read {relation} since {since} UTC. Wait for its"
        f" end, or end it with select pg_terminate_backend({pid}), and run this again"
    )


def kind_of(cursor: psycopg.Cursor, mart: Mart) -> str | None:
    """Return the kind of relation under the mart's name, `r` for a table and `v` for a view; None where there is none.

    The contract may declare another kind than the one that is published.
    """
    query = "select relkind::text from pg_class where oid = to_regclass(%s)"
    kind: str | None = value_of(cursor, query, [f"{mart.schema}.{mart.name}"])
    return kind


def is_view(cursor: psycopg.Cursor, mart: Mart) -> bool:
    """Return whether a view is published under the mart's name, whatever its contract declares."""
    return kind_of(cursor, mart) == "v"
