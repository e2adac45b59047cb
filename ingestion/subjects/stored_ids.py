"""Read access to ops.erased_ids, for loads and reads that leave erased persons out."""

from typing import Any

import psycopg

from ingestion.subjects.erased_ids import ErasedIds, hash_parameters, require_key
from ingestion.subjects.erased_lines import Replacement
from ingestion.validation.timestamps import to_microseconds
from warehouse.single_values import exist, value_of


def load_erased_ids(cursor: psycopg.Cursor, key: str) -> ErasedIds | None:
    """Return the erased ids; None when there is none. Raises ErasureKeyMissing when there are some and no key."""
    if not _has_erased_ids(cursor):
        return None
    rows = cursor.execute("select id_hash, erased_from, replacement_id from ops.erased_ids").fetchall()
    return ErasedIds(
        require_key(key),
        {bytes(hashed): None if start is None else to_microseconds(start) for hashed, start, _ in rows},
        {bytes(hashed): replacement for hashed, _, replacement in rows if replacement is not None},
    )


def replacements_of(connection: psycopg.Connection, key: str) -> Replacement:
    """Return the function from an erased id to the random id under which its rows stay. Raises ErasureKeyMissing."""
    with connection.cursor() as cursor:
        erased = load_erased_ids(cursor, key)
    return erased.replacement if erased else lambda _, __: None


def parameters_of_erased_ids(cursor: psycopg.Cursor, key: str) -> dict[str, Any] | None:
    """Return the parameters for hashes in SQL; None when no id is erased. Raises ErasureKeyMissing."""
    return dict(hash_parameters(require_key(key))) if _has_erased_ids(cursor) else None


def _has_erased_ids(cursor: psycopg.Cursor) -> bool:
    return exist(cursor, "ops.erased_ids") and value_of(cursor, "select exists (select from ops.erased_ids)")
