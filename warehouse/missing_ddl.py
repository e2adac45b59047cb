"""Columns, indexes and comments that are created only where they are missing.

`add column if not exists`, `create index if not exists` and `comment on` wait for the locks of a running load or of
readers, even if nothing is to be done. A look into the catalog does not wait. So that every start of the warehouse,
`make dsn` too, goes on during a load.
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql


def add_columns(cursor: psycopg.Cursor, table: str, columns: Mapping[str, str]) -> None:
    """Add the columns that are missing in a table, such as ops.loads; by name, the type and constraints of each.

    A constant default rewrites no rows.
    """
    cursor.execute(
        "select name from unnest(%s::text[]) as name where not exists ("
        "select from pg_attribute where attrelid = %s::regclass and attname = name)",
        [list(columns), table],
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"alter table {table} add column {name} {columns[name]}")


def create_indexes(cursor: psycopg.Cursor, indexes: Mapping[str, str]) -> None:
    """Create the missing indexes: by name, such as ops.loads_change_id, the rest of `create [unique] index`."""
    names = list(indexes)
    cursor.execute("select name from unnest(%s::text[]) as name where to_regclass(name) is null", [names])
    for (name,) in cursor.fetchall():
        kind, _, definition = indexes[name].partition(" on ")
        cursor.execute(f"create {kind} {name.partition('.')[2]} on {definition}")


def set_comments(cursor: psycopg.Cursor, comments: Mapping[str, str]) -> None:
    """Set the comments that differ, by table or view (ops.loads) or column (ops.loads.late)."""
    parts = [(name.split("."), text) for name, text in comments.items()]
    cursor.execute(
        """
        select wanted.name, wanted.comment, case
            when wanted.column_name <> '' then 'column' when relations.relkind = 'v' then 'view' else 'table'
        end
        from unnest(%s::text[], %s::text[], %s::text[], %s::text[]) as wanted (name, relation, column_name, comment)
        left join pg_class as relations on relations.oid = to_regclass(wanted.relation)
        left join pg_attribute as attributes
            on attributes.attrelid = relations.oid and attributes.attname = wanted.column_name
        where wanted.comment is distinct from coalesce(
            col_description(attributes.attrelid, attributes.attnum),
            case when wanted.column_name = '' then obj_description(relations.oid, 'pg_class') end,
            ''
        )
        """,
        [
            list(comments),
            [".".join(names[:2]) for names, _ in parts],
            ["".join(names[2:]) for names, _ in parts],
            list(comments.values()),
        ],
    )
    for name, comment, kind in cursor.fetchall():
        statement = sql.SQL("comment on {} {} is {}")
        cursor.execute(statement.format(sql.SQL(kind), sql.Identifier(*name.split(".")), sql.Literal(comment)))
