"""The marts that are views: what they show follows from marts that are tables, so that no rows have to be moved.

A view is the one that dbt has built, over the tables of schema marts instead of build. It reads as whoever asks: the
policies of these tables say which rows a portal sees.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final

import psycopg
from psycopg import sql

from publishing.mart_locks import comment, is_view, lock
from publishing.marts import Mart
from warehouse.reader_roles import MARTS
from warehouse.roles import row_policies

_OPTION: Final = "security_invoker=true"


class ViewMissing(Exception):
    """A mart that is a view has not been built."""


def create_views(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> None:
    """Make every mart that is a view read as the one that was built, with its grants and comments, in the transaction
    of the publication, when the tables are ready. What is right already is not touched, so that nobody waits for it.
    Raises ViewMissing."""
    views = [mart for mart in marts if mart.is_view]
    changed = {mart: query for mart in views if not _reads(cursor, mart, query := _built_query(cursor, mart))}
    lock(cursor, [mart for mart in changed if _exists(cursor, mart)])
    for mart, query in changed.items():
        _make(cursor, mart, query)
    for mart in views:
        row_policies.grant_select(cursor, mart.name, mart.portals)
        comment(cursor, mart)


def dependents_of(cursor: psycopg.Cursor, marts: Sequence[Mart], tables: Collection[Mart]) -> list[Mart]:
    """The published views among the marts that read one of these tables."""
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
    """Drop the views of these marts, in a transaction that makes them again or tables in their place."""
    for mart in marts:
        cursor.execute(sql.SQL("drop view {}").format(mart.relation))


def _built_query(cursor: psycopg.Cursor, mart: Mart) -> str:
    """What the view has to read: as it was built, and published tables for built ones. Raises ViewMissing."""
    (path,) = cursor.execute("select current_setting('search_path')").fetchone() or ("",)
    # Postgres then names every table with its schema, whatever the names of common table expressions.
    cursor.execute("select set_config('search_path', '', true)")
    found = cursor.execute(
        "select pg_get_viewdef(oid) from pg_class where oid = to_regclass(%s) and relkind = 'v'", [f"build.{mart.name}"]
    ).fetchone()
    cursor.execute("select set_config('search_path', %s, true)", [path])
    if found is None:
        raise ViewMissing(f"build.{mart.name} is no view; run the whole chain for these days (job daily_refresh)")
    return re.sub(r"\bbuild\.", f"{MARTS}.", str(found[0]).rstrip(";"))


def _reads(cursor: psycopg.Cursor, mart: Mart, query: str) -> bool:
    """Whether the published view is this one. Postgres says so in its own words."""
    cursor.execute(sql.SQL("create temporary view wanted_view as {}").format(sql.SQL(query)))
    found = cursor.execute(
        "select pg_get_viewdef('pg_temp.wanted_view'::regclass) = pg_get_viewdef(oid) and %s = any(reloptions)"
        " from pg_class where oid = to_regclass(%s) and relkind = 'v'",
        [_OPTION, f"{mart.schema}.{mart.name}"],
    ).fetchone()
    cursor.execute("drop view pg_temp.wanted_view")
    return bool(found and found[0])


def _exists(cursor: psycopg.Cursor, mart: Mart) -> bool:
    found = cursor.execute("select to_regclass(%s) is not null", [f"{mart.schema}.{mart.name}"]).fetchone()
    return bool(found and found[0])


def _make(cursor: psycopg.Cursor, mart: Mart, query: str) -> None:
    statement = sql.SQL("create or replace view {} with ({}) as {}").format(
        mart.relation, sql.SQL(_OPTION), sql.SQL(query)
    )
    try:
        with cursor.connection.transaction():
            cursor.execute(statement)
    except (psycopg.errors.InvalidTableDefinition, psycopg.errors.WrongObjectType):
        # Columns are gone, renamed or retyped, or it was a table so far.
        kind = "drop view {}" if is_view(cursor, mart) else "drop table {}"
        cursor.execute(sql.SQL(kind).format(mart.relation))
        cursor.execute(statement)
