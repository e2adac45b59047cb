"""Statements that insert a row, or replace the values of the row with its key."""

from collections.abc import Sequence


def upsert(table: str, key: Sequence[str], values: Sequence[str], renewed: Sequence[str] = ()) -> str:
    """Return the statement, with a placeholder for each column of the key and the values, in this order.

    Columns of `renewed` get their defaults again when a row is replaced.
    """
    columns = [*key, *values]
    replaced = ", ".join(f"{column} = excluded.{column}" for column in (*values, *renewed))
    return (
        f"insert into {table} ({', '.join(columns)}) values ({', '.join(['%s'] * len(columns))})"
        f" on conflict ({', '.join(key)}) do update set {replaced}"
    )
