"""Marts that are views over published tables, without rows to move.

A published view has the query of dbt's view, with schema marts in place of build. It runs with the rights of the user
who queries it (security_invoker), so that the policies of the tables apply.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final

import psycopg
from psycopg import sql

from publishing.mart_locks import is_view, kind_of, lock
from publishing.marts import Mart
from warehouse.missing_ddl import set_comments
from warehouse.roles import row_policies
from warehouse.roles.readers import MARTS
from warehouse.single_values import value_of

_OPTION: Final = "security_invoker=true"


class ViewMissing(Exception):
    """A mart that is a view has not been built."""


def create_views(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> None:
    """Give every view the query of the built one, its grants and comments, in a publication's transaction.

    The tables are ready before. A view that is right is not touched, so that no reader waits. Raises ViewMissing.
    """
    queries = {mart: _built_query(cursor, mart) for mart in marts if mart.is_view}
    changed = [mart for mart in queries if not has_query(cursor, f"{mart.schema}.{mart.name}", queries[mart], _OPTION)]
    lock(cursor, [mart for mart in changed if kind_of(cursor, mart)])
    for mart in changed:
        _make(cursor, mart, queries[mart])
    for mart in queries:
        row_policies.grant_select(cursor, mart.name, mart.portals)
        set_comments(cursor, mart.comments)


def dependents_of(cursor: psycopg.Cursor, marts: Sequence[Mart], tables: Collection[Mart]) -> list[Mart]:
    """Return the published views among the marts that read one of these tables."""
    names = [f"{table.schema}.{table.name}" for table in tables]
    rows = cursor.execute(
        """
        select distinct views.relname
        from pg_depend as reads
        inner join pg_rewrite as rules on rules.oid = reads.objid and reads.classid = 'pg_rewrite'::regclass
        inner join pg_class as views on views.oid = rules.ev_class and views.relkind = 'v'
        where reads.refclassid = 'pg_class'::regclass and reads.refobjid = any(%s::regclass[])
            and views.relnamespace = %s::regnamespace
        """,
        [names, MARTS],
    ).fetchall()
    readers = {name for (name,) in rows}
    return [mart for mart in marts if mart.is_view and mart.name in readers]


def drop(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> None:
    """Drop the views of these marts, in a transaction that creates them again or tables in their place."""
    for mart in marts:
        cursor.execute(sql.SQL("drop view {}").format(mart.relation))


def _built_query(cursor: psycopg.Cursor, mart: Mart) -> str:
    """Return the query of the built view with published tables in place of built ones. Raises ViewMissing."""
    path = value_of(cursor, "select current_setting('search_path')")
    # With an empty search path Postgres qualifies every table, whatever the names of common table expressions.
    cursor.execute("select set_config('search_path', '', true)")
    definition = "select pg_get_viewdef(oid) from pg_class where oid = to_regclass(%s) and relkind = 'v'"
    query = value_of(cursor, definition, [f"build.{mart.name}"])
    cursor.execute("select set_config('search_path', %s, true)", [path])
    if query is None:
        raise ViewMissing(f"build.{mart.name} is no view; run the whole chain for these days (job daily_refresh)")
    return re.sub(r"\bbuild\.", f"{MARTS}.", query.rstrip(";"))


def has_query(cursor: psycopg.Cursor, view: str, query: str, option: str) -> bool:
    """Return whether a view has this query and option, by Postgres's own text of both queries."""
    cursor.execute(sql.SQL("create temporary view wanted_view as {}").format(sql.SQL(query)))
    is_equal = value_of(
        cursor,
        "select pg_get_viewdef('pg_temp.wanted_view'::regclass) = pg_get_viewdef(oid) and %s = any(reloptions)"
        " from pg_class where oid = to_regclass(%s) and relkind = 'v'",
        [option, view],
    )
    cursor.execute("drop view pg_temp.wanted_view")
    return bool(is_equal)


def _make(cursor: psycopg.Cursor, mart: Mart, query: str) -> None:
    statement = sql.SQL("create or replace view {} with ({}) as {}").format(
        mart.relation, sql.SQL(_OPTION), sql.SQL(query)
    )
    try:
        with cursor.connection.transaction():
            cursor.execute(statement)
    except (psycopg.errors.InvalidTableDefinition, psycopg.errors.WrongObjectType):
        # Columns were dropped, renamed or retyped, or a table had the name.
        kind = "drop view {}" if is_view(cursor, mart) else "drop table {}"
        cursor.execute(sql.SQL(kind).format(mart.relation))
        cursor.execute(statement)
