"""Writer of the sample's application tables, with the schema and foreign keys of a usual ORM."""

from typing import Final

import psycopg

from ingestion.application.schema import TABLES, Column
from sample_data.application_rows import TABLE_NAMES, Row

# Columns of a usual ORM, by name: the referenced table, nullability and checks. The types are those of the declaration.
_REFERENCES: Final = {
    "user_id": "users",
    "created_by": "users",
    "ip_asset_id": "ip_assets",
    "creator_id": "creators",
    "brand_id": "brands",
    "project_id": "projects",
    "license_id": "licenses",
    "parent_license_id": "licenses",
}
_NULLABLE: Final = frozenset({"deleted_at", "ip_ownerships.end_date", "project_id", "parent_license_id"})
_DEFINITIONS: Final = {
    "id": "text primary key",
    "email": "text not null unique",
    "share_bps": "integer not null check (share_bps between 1 and 10000)",
    "fee_cents": "bigint not null check (fee_cents >= 0)",
}
# Real applications have full names and password hashes; the warehouse must not read them.
_UNREAD: Final = {"users": ["full_name text not null", "password_hash text not null"]}


def _definition(table: str, column: Column) -> str:
    name = column.name
    is_nullable = not _NULLABLE.isdisjoint((name, f"{table}.{name}"))
    own = _DEFINITIONS.get(name) or column.raw_type + ("" if is_nullable else " not null")
    reference = f" references {_REFERENCES[name]} deferrable initially deferred" if name in _REFERENCES else ""
    return f"{name} {own}{reference}"


_DDL: Final = ";\n".join(
    f"create table if not exists {table.name} ("
    + ", ".join([*(_definition(table.name, column) for column in table.columns), *_UNREAD.get(table.name, [])])
    + ")"
    for table in TABLES
)

# Tables with updated_at, of which the warehouse reads changes only; it reads the others in full.
_WITH_CHANGE_TIME: Final = ("users", "ip_assets", "licenses", "payouts")


def write_application(connection: psycopg.Connection, tables: dict[str, list[Row]]) -> int:
    """Replace the content of all tables in one transaction. Returns the number of rows that differed."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_DDL)
        for name in _WITH_CHANGE_TIME:
            cursor.execute(
                f"alter table {name} add column if not exists updated_at timestamptz not null default clock_timestamp()"
            )
        return sum(_replace(cursor, name, tables[name]) for name in TABLE_NAMES)


def _replace(cursor: psycopg.Cursor, name: str, rows: list[Row]) -> int:
    wanted = f"pg_temp.wanted_{name}"
    cursor.execute(f"create temporary table {wanted} (like {name} including defaults)")
    names = list(rows[0]) if rows else ["id"]
    columns, old, new = (", ".join(f"{row}{column}" for column in names) for row in ("", "t.", "excluded."))
    with cursor.copy(f"copy {wanted} ({columns}) from stdin") as copy:
        for row in rows:
            copy.write_row([row[column] for column in names])
    cursor.execute(f"delete from {name} as t where not exists (select from {wanted} as w where w.id = t.id)")
    deleted = cursor.rowcount
    change_time = ", updated_at = clock_timestamp()" if name in _WITH_CHANGE_TIME else ""
    cursor.execute(
        f"""
        insert into {name} as t ({columns}) select {columns} from {wanted}
        on conflict (id) do update set ({columns}) = row({new}){change_time} where ({old}) is distinct from ({new})
        """
    )
    changed = cursor.rowcount
    cursor.execute(f"drop table {wanted}")
    return deleted + changed
