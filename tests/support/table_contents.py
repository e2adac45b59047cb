"""Contents of tables as text, to compare two warehouses."""

from collections.abc import Sequence

import psycopg
from psycopg import sql

from tests.support.provenance import PROVENANCE_COLUMNS


def table_names(connection: psycopg.Connection, schemas: Sequence[str]) -> list[str]:
    """Return the tables of these schemas. Day partitions are seen through their parent: an empty day may have none."""
    rows = connection.execute(
        "select format('%%I.%%I', relnamespace::regnamespace, relname) from pg_class"
        " where relnamespace::regnamespace::text = any(%s) and relkind in ('r', 'p') and not relispartition"
        " order by 1",
        [list(schemas)],
    )
    return [name for (name,) in rows]


def table_rows(connection: psycopg.Connection, table: str, *, column_order: str = "attnum") -> list[tuple[str, ...]]:
    """Return the sorted rows of a table as text, without the columns that tell where a row came from."""
    found = connection.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
        f" order by {column_order}",  # type: ignore[arg-type]
        [table],
    )
    columns = [name for (name,) in found if name not in PROVENANCE_COLUMNS]
    query = sql.SQL("select {} from {}").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns),
        sql.Identifier(*table.split(".")),
    )
    return sorted(connection.execute(query).fetchall(), key=repr)
