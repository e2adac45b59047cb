"""Single values of queries, and whether tables exist."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql
    from psycopg.abc import Params


def value_of(
    connection: "psycopg.Connection | psycopg.Cursor",
    query: "str | sql.SQL | sql.Composed",
    parameters: "Params | None" = None,
) -> Any:
    """Return the first column of the first row of a query, None where there is no row."""
    row = connection.execute(query, parameters).fetchone()
    return row[0] if row else None


def exist(connection: "psycopg.Connection | psycopg.Cursor", *relations: str) -> bool:
    """Return whether all of these tables and views exist, each as schema.name."""
    query = "select bool_and(to_regclass(name) is not null) from unnest(%s::text[]) as name"
    return bool(value_of(connection, query, [list(relations)]))
