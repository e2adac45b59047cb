"""Primary keys of dimensions, and foreign keys to them, by which BI tools find their joins.

A foreign key is declared and not enforced: events may name ids that the product never had, and a dimension is replaced
as a whole. Postgres before version 18 cannot declare such keys; there the columns of the same name say it.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import psycopg
from psycopg import sql

from publishing.marts import Mart
from warehouse.roles.readers import MARTS
from warehouse.single_values import value_of

# The first version with `not enforced` for foreign keys.
_SERVER_VERSION: Final = 180_000
_MISSING: Final = """
select wanted.relation, wanted.name, wanted.kind, wanted.column_name, wanted.dimension
from unnest(%(relations)s::text[], %(names)s::text[], %(kinds)s::text[], %(columns)s::text[], %(dimensions)s::text[])
    as wanted (relation, name, kind, column_name, dimension)
inner join pg_class as tables on tables.oid = to_regclass(format('marts.%%I', wanted.relation)) and relkind = 'r'
where to_regclass(format('marts.%%I', wanted.dimension)) is not null
    and (wanted.kind = 'p' or current_setting('server_version_num')::int >= %(version)s)
    and not exists (
        select from pg_constraint where conrelid = tables.oid and conname = wanted.name
    )
order by wanted.relation, wanted.name
"""
_REFERENCES: Final = """
select conrelid::regclass::text, conname from pg_constraint
where contype = 'f' and confrelid = to_regclass(%s) and conrelid <> confrelid
"""


def declare(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> None:
    """Declare the keys that are missing, in a publication's transaction. The tables and their columns are there.

    A table that is being read is left for the next publication: keys are help, and hold nothing up.
    """
    keys = list(_keys(marts))
    relations, names, kinds, columns, dimensions = ([key[place] for key in keys] for place in range(5))
    parameters = {
        "relations": relations,
        "names": names,
        "kinds": kinds,
        "columns": columns,
        "dimensions": dimensions,
        "version": _SERVER_VERSION,
    }
    missing = cursor.execute(_MISSING, parameters).fetchall()
    timeout = value_of(cursor, "select current_setting('lock_timeout')")
    for relation, name, kind, column, dimension in missing:
        definition = "primary key ({column})"
        if kind == "f":
            definition = "foreign key ({column}) references {dimension} ({column}) not enforced"
        statement = sql.SQL("alter table {relation} add constraint {name} " + definition).format(
            relation=sql.Identifier(MARTS, relation),
            name=sql.Identifier(name),
            column=sql.Identifier(column),
            dimension=sql.Identifier(MARTS, dimension),
        )
        try:
            with cursor.connection.transaction():
                cursor.execute("set local lock_timeout = '100ms'")
                cursor.execute(statement)
                cursor.execute("select set_config('lock_timeout', %s, true)", [timeout])
        except psycopg.errors.LockNotAvailable:
            continue


def _keys(marts: Sequence[Mart]) -> Iterable[tuple[str, str, str, str, str]]:
    """Yield relation, name, kind, column and dimension of each key: a column has the name of the dimension's key."""
    tables = [mart for mart in marts if mart.schema == MARTS and not mart.is_view]
    dimensions = {mart.grain[0]: mart.name for mart in tables if mart.is_dimension}
    for column, dimension in dimensions.items():
        yield dimension, f"{dimension}_pkey", "p", column, dimension
    for mart in tables:
        for name in (column.name for column in mart.columns):
            if dimensions.get(name, mart.name) != mart.name:
                yield mart.name, f"{mart.name}_{name}_fkey", "f", name, dimensions[name]


def drop_references(cursor: psycopg.Cursor, schema: str, table: str) -> None:
    """Drop the foreign keys to a table that is about to be dropped. A publication declares those that are missing."""
    for relation, name in cursor.execute(_REFERENCES, [f"{schema}.{table}"]).fetchall():
        cursor.execute(sql.SQL("alter table {} drop constraint {}").format(sql.SQL(relation), sql.Identifier(name)))
