"""How the SQL checks read: one statement, named parameters, rows as dictionaries."""

from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row


def rows_of(
    connection: psycopg.Connection, statement: LiteralString, parameters: Mapping[str, object]
) -> list[dict[str, Any]]:
    """The rows of the statement, whatever row factory the connection has. Ends no transaction."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, parameters).fetchall()
