"""Explanations as mappings: calls of the SQL functions, with errors that a person can act on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

Explanation = Mapping[str, Any]
MAX_ROWS: Final = 10_000


class NotExplained(Exception):
    """A number that cannot be explained; the message says why, and what to do."""


@contextmanager
def _errors_in_words(connection: psycopg.Connection) -> Iterator[None]:
    try:
        # The caller's transaction can go on after an error.
        with connection.transaction():
            yield
    except (psycopg.DataError, psycopg.errors.NoDataFound) as error:
        raise NotExplained(error.diag.message_primary or str(error)) from error
    except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable) as error:
        raise NotExplained(
            f"{error.diag.message_primary}: the tables were built by another version of the models. `warehouse plan`"
            " shows what waits; apply it, and ask again"
        ) from error


def explain_conversion(
    connection: psycopg.Connection, conversion_id: UUID, *, day: date | None = None, show_ids: bool = False
) -> Explanation:
    """Return what makes up a conversion. Raises NotExplained.

    `day` tells conversions apart whose key occurs on several days. The visitor's id is left out without `show_ids`.
    """
    with _errors_in_words(connection):
        row = connection.execute("select ops.explain_conversion(%s, %s, %s)", [conversion_id, day, show_ids]).fetchone()
    return _answer(row)


def explain_cell(
    connection: psycopg.Connection,
    mart: str,
    column: str,
    keys: Mapping[str, str | None],
    *,
    max_rows: int = 100,
    show_ids: bool = False,
) -> Explanation:
    """Return what makes up the cell of a mart's row, of which at most `max_rows` rows. Raises NotExplained.

    `keys` are columns of the mart that identify the row. Ids of visitors are left out without `show_ids`.
    """
    if not 0 <= max_rows <= MAX_ROWS:
        raise NotExplained(f"an explanation lists between 0 and {MAX_ROWS} rows, not {max_rows}")
    with _errors_in_words(connection):
        row = connection.execute(
            "select ops.explain_cell(%s, %s, %s, %s, %s)", [mart, Jsonb(dict(keys)), column, max_rows, show_ids]
        ).fetchone()
    return _answer(row)


def _answer(row: tuple[Any, ...] | None) -> Explanation:
    answer: Explanation = row[0] if row else {}
    return answer
