"""Columns that hold ids of persons, in every table of the warehouse: found by their names, as the models name them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from ingestion.subjects.subject import Subject

SCHEMAS: Final = ("raw", "intermediate", "build", "rollups", "marts")
_LIST: Final = """
select table_schema, table_name, column_name, data_type
from information_schema.columns
inner join information_schema.tables using (table_schema, table_name)
where table_schema = any(%s) and column_name = any(%s) and table_type = 'BASE TABLE'
    and (table_schema, table_name) not in (
        select 'raw', relname from pg_class where relispartition and relnamespace = 'raw'::regnamespace
    )
order by 1, 2, ordinal_position
"""


@dataclass(frozen=True, slots=True)
class IdColumn:
    """A column that may hold ids of a subject, and which of them."""

    schema: str
    table: str
    column: str
    ids: tuple[str, ...]
    data_type: str

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def condition(self) -> sql.Composed:
        """Return the condition that a row holds an id of the subject in this column."""
        return sql.SQL("{}::text = any({})").format(sql.Identifier(self.column), sql.Literal(list(self.ids)))


def id_columns(connection: psycopg.Connection, subject: Subject) -> Iterator[IdColumn]:
    """Yield the columns of tables in which ids of a subject may stand."""
    by_name = _ids_by_column(subject)
    rows = connection.execute(_LIST, [list(SCHEMAS), list(by_name)]).fetchall()
    for schema, table, column, data_type in rows:
        ids = by_name[column]
        if (schema, column) == ("raw", "id"):
            ids = {"users": subject.persons, "creators": subject.creators, "brands": subject.brands}.get(table, ())
        if ids and (column != "id" or schema == "raw"):
            yield IdColumn(schema, table, column, ids, data_type)


def _ids_by_column(subject: Subject) -> dict[str, tuple[str, ...]]:
    # Models name a visitor by the kind of id that is known of it.
    actors = tuple(f"actor:{text}" for text in subject.persons)
    devices = tuple(f"anonymous:{text}" for text in subject.devices)
    sessions = tuple(f"session:{text}" for text in subject.sessions)
    visitors = (*actors, *devices, *sessions)
    return {
        "id": subject.persons,
        "actor_id": subject.persons,
        "user_id": subject.persons,
        "created_by": subject.persons,
        "anonymous_id": subject.devices,
        "visitor_id": visitors,
        "identity_id": visitors,
        "tracker_session_id": subject.sessions,
        "session_key": visitors,
        "creator_id": subject.creators,
        "brand_id": subject.brands,
        "owner_id": (*subject.creators, *subject.brands),
    }
