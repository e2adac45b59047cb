"""Removal of marts whose model no longer exists: the next publication drops them and reports their names.

Left in place, such a mart would be read as if it were current. A removal is a change of code: it waits until it is
applied, and a plan drops the mart when it publishes the others.
"""

from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import sql

from publishing import mart_keys
from publishing.mart_locks import lock_relations
from publishing.marts import Mart
from warehouse.roles.readers import MARTS, ROLLUPS

# Our tables of schema marts are in the record of publications or have our policies; a table that another user created
# there has neither. Only publication writes into the other schema.
_REMOVED: Final = """
select classes.relnamespace::regnamespace::text, classes.relname, classes.relkind = 'v',
    applied.version is not null
from pg_class as classes
left join ops.applied_models as applied on applied.model = classes.relname
where classes.relkind in ('r', 'v')
    and not (classes.relnamespace::regnamespace::text, classes.relname)
        in (select * from unnest(%(schemas)s::text[], %(names)s::text[]))
    and (
        classes.relnamespace = %(rollups)s::regnamespace
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


def drop_removed(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> tuple[list[str], list[str], list[str]]:
    """Drop published marts without a model, in the transaction of a publication.

    Returns the names (schema.name) of dropped marts, of marts that stay because other relations read them, and of marts
    whose removal waits for a plan. Raises MartsInUse.
    """
    cursor.execute(
        _REMOVED,
        {
            "schemas": [mart.schema for mart in marts],
            "names": [mart.name for mart in marts],
            "rollups": ROLLUPS,
            "marts": MARTS,
        },
    )
    dropped, kept, waiting = [], [], []
    for schema, name, is_view, is_applied in cursor.fetchall():
        if is_applied:
            waiting.append(f"{schema}.{name}")
            continue
        kind = "view" if is_view else "table"
        try:
            with cursor.connection.transaction():
                if not is_view:
                    # A lock of a view would also take the tables that it reads.
                    lock_relations(cursor, [(schema, name)])
                    mart_keys.drop_references(cursor, schema, name)
                cursor.execute(sql.SQL("drop {} {}").format(sql.SQL(kind), sql.Identifier(schema, name)))
        except psycopg.errors.DependentObjectsStillExist:
            kept.append(f"{schema}.{name}")
        else:
            dropped.append(f"{schema}.{name}")
    return dropped, kept, waiting
