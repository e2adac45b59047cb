"""Replacement of published tables whose columns change: filled beside the old ones, and exchanged under a short lock.

Readers wait for the exchange and not for the copy. Only the end of a plan (publishing/swap.py) replaces tables.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import psycopg
from psycopg import sql

from publishing import mart_keys, mart_tables, mart_views
from publishing.mart_locks import kind_of, lock
from publishing.marts import Mart
from publishing.publish import Replacement
from warehouse.roles.readers import MARTS, ROLLUPS
from warehouse.window import Window

# Rights that were given on the old table, by whomever. Those of the owner come with the new one.
_GRANTS: Final = """
select format(
    'grant %%s on %%s to %%s%%s', privilege_type, %(draft)s::text,
    case when grantee = 0 then 'public' else grantee::regrole::text end,
    case when is_grantable then ' with grant option' else '' end
)
from pg_class, aclexplode(relacl)
where pg_class.oid = to_regclass(%(table)s) and grantee <> relowner
"""


def missing(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> list[Mart]:
    """Return the marts that have neither a table nor a view."""
    return [mart for mart in marts if kind_of(cursor, mart) is None]


def replaceable(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> list[Mart]:
    """Return the marts whose tables readers see: a long lock of the others disturbs nobody."""
    return [mart for mart in marts if mart.schema == MARTS and kind_of(cursor, mart) == "r"]


def fill_draft(cursor: psycopg.Cursor, mart: Mart, window: Window) -> int:
    """Create the new table in a schema that nobody reads, with all rows and the old table's grants. Return the rows."""
    draft = replace(mart, schema=ROLLUPS)
    mart_tables.create_table(cursor, draft)
    rows = Replacement(draft, window, is_full_rebuild=True).apply(cursor)
    names = {"draft": f"{ROLLUPS}.{mart.name}", "table": f"{MARTS}.{mart.name}"}
    for (statement,) in cursor.execute(_GRANTS, names).fetchall():
        cursor.execute(statement)
    return rows


def put_in_place(cursor: psycopg.Cursor, marts: Sequence[Mart], replaced: Sequence[Mart]) -> list[Mart]:
    """Exchange the tables of some of the marts for their drafts. Views over them are dropped, to be created again.

    Policies and comments of the new tables are missing until the caller has migrated them, in the same transaction.
    Return the marts that could not be exchanged, because a view of another owner reads one: their tables have to be
    changed in place.
    """
    try:
        with cursor.connection.transaction():
            views = mart_views.dependents_of(cursor, marts, replaced)
            lock(cursor, [*replaced, *views])
            mart_views.drop(cursor, views)
            for mart in replaced:
                mart_keys.drop_references(cursor, mart.schema, mart.name)
                cursor.execute(sql.SQL("drop table {}").format(mart.relation))
                statement = sql.SQL("alter table {} set schema {}")
                cursor.execute(statement.format(sql.Identifier(ROLLUPS, mart.name), sql.Identifier(MARTS)))
    except psycopg.errors.DependentObjectsStillExist:
        for mart in replaced:
            cursor.execute(sql.SQL("drop table {}").format(sql.Identifier(ROLLUPS, mart.name)))
        return list(replaced)
    return []
