"""Marts whose model is gone: the publication that no longer has them drops them, and says so.

Left behind, such a mart would be read as if it were current, while nothing tells how old it is.
"""

from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import sql

from publishing.marts import Mart
from warehouse.reader_roles import MARTS, PUBLISHED

# Tables of schema marts are known by the record of publications, and by their policies: a table that somebody else has
# made there has none of ours. Into the other schema nobody but publication writes.
_REMOVED: Final = """
select classes.relnamespace::regnamespace::text, classes.relname, classes.relkind = 'v'
from pg_class as classes
where classes.relkind in ('r', 'v')
    and not (classes.relnamespace::regnamespace::text, classes.relname)
        in (select * from unnest(%(schemas)s::text[], %(names)s::text[]))
    and (
        classes.relnamespace = %(published)s::regnamespace
        or classes.relnamespace = %(marts)s::regnamespace and (
            classes.relname in (select mart from ops.published_marts)
            or exists (
                select from pg_policy as policies
                where policies.polrelid = classes.oid and policies.polname like 'all\\_rows\\_for\\_%%'
            )
        )
    )
-- Views first: they read the tables.
order by classes.relkind desc, 1, 2
"""


def drop_removed(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> tuple[list[str], list[str]]:
    """Drop what was published of models that there are no more, in the transaction of a publication.

    Returns what was dropped, and what stays because something of somebody else reads it, each as schema.name.
    """
    cursor.execute(
        _REMOVED,
        {
            "schemas": [mart.schema for mart in marts],
            "names": [mart.name for mart in marts],
            "published": PUBLISHED,
            "marts": MARTS,
        },
    )
    dropped, kept = [], []
    for schema, name, is_view in cursor.fetchall():
        kind = "view" if is_view else "table"
        try:
            with cursor.connection.transaction():
                cursor.execute(sql.SQL("drop {} {}").format(sql.SQL(kind), sql.Identifier(schema, name)))
        except psycopg.errors.DependentObjectsStillExist:
            kept.append(f"{schema}.{name}")
        else:
            dropped.append(f"{schema}.{name}")
    return dropped, kept
