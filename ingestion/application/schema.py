"""Declaration of the application's tables and columns, and DDL of their version tables in schema raw.

sync.py reads them. Undeclared columns never leave the application's database.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import psycopg

from warehouse.locks import AdvisoryLock
from warehouse.missing_ddl import create_indexes, set_comments

# Only "email" differs between the two sides: an address in the application, its keyed hash in raw.
ColumnKind = Literal["text", "email", "bigint", "timestamptz", "date"]

# Types of the application, by their names in pg_catalog, from which a declared kind is read without loss. Times without
# a zone are UTC, as common ORMs write them. Fractions of a cent are an error and never rounded.
READABLE_TYPES: Final[dict[ColumnKind, frozenset[str] | None]] = {
    "text": None,  # every type has a text form: ids may be uuid or integer, statuses may be enums
    "email": None,
    "bigint": frozenset({"int2", "int4", "int8"}),
    "timestamptz": frozenset({"timestamptz", "timestamp", "date"}),
    "date": frozenset({"date", "timestamp", "timestamptz"}),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column: its name in the application and its kind."""

    name: str
    kind: ColumnKind = "text"

    @property
    def raw_name(self) -> str:
        return f"{self.name}_hash" if self.kind == "email" else self.name

    @property
    def raw_type(self) -> str:
        return "text" if self.kind == "email" else self.kind


@dataclass(frozen=True, slots=True)
class Table:
    """A declared table. Its first column is `id`, which identifies a row permanently."""

    name: str
    columns: tuple[Column, ...]
    comment: str
    is_optional: bool = False

    @property
    def raw_names(self) -> tuple[str, ...]:
        return tuple(column.raw_name for column in self.columns)

    @property
    def streamed_columns(self) -> tuple[Column, ...]:
        """Return the columns with the e-mail address last, where it is found without parsing the row."""
        return tuple(sorted(self.columns, key=lambda column: column.kind == "email"))


def _table(name: str, columns: str, comment: str, *, is_optional: bool = False) -> Table:
    """Return a table by its columns, separated by commas: each a name, and its kind unless that is text."""
    declared = (column.split() for column in columns.split(","))
    return Table(name, tuple(Column(*cast("list[Any]", column)) for column in declared), comment, is_optional)


TABLES: Final = (
    _table(
        "users",
        "id, email email, role, created_at timestamptz, deleted_at timestamptz",
        "accounts; e-mail addresses only as a keyed hash",
    ),
    _table("creators", "id, user_id, display_name, created_at timestamptz, deleted_at timestamptz", "creators"),
    _table("brands", "id, user_id, company_name, created_at timestamptz, deleted_at timestamptz", "brands"),
    _table("ip_assets", "id, title, type, created_by, created_at timestamptz, deleted_at timestamptz", "IP assets"),
    _table(
        "ip_ownerships",
        "id, ip_asset_id, creator_id, share_bps bigint, start_date date, end_date date",
        "shares of assets in basis points, owned from start_date until before end_date (null: open)",
    ),
    _table("projects", "id, brand_id, name, budget_cents bigint, created_at timestamptz", "projects of brands"),
    _table(
        "licenses",
        "id, ip_asset_id, brand_id, project_id, parent_license_id, fee_cents bigint, status, start_date date,"
        " end_date date, created_at timestamptz",
        "licenses; one with a parent renews it",
    ),
    _table(
        "license_adjustments",
        "id, license_id, amount_cents bigint, reason, effective_date date, created_at timestamptz",
        "refunds (negative) and changed fees of licenses",
        is_optional=True,
    ),
    _table("payouts", "id, creator_id, amount_cents bigint, status, created_at timestamptz", "payouts to creators"),
)


def create(connection: psycopg.Connection) -> None:
    """Create missing version tables and the table of watermarks, in one transaction. Schemas raw and ops must exist."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.APPLICATION_DDL])
        cursor.execute(_WATERMARKS)
        for table in TABLES:
            columns = ", ".join(f"{column.raw_name} {column.raw_type}" for column in table.columns[1:])
            cursor.execute(_VERSIONS.format(name=table.name, columns=columns))
        # Unique, and in the order in which the latest version of every id is looked up.
        create_indexes(
            cursor, {f"raw.{t.name}_versions": f"unique index on raw.{t.name} (id, change_id desc)" for t in TABLES}
        )
        set_comments(cursor, _COMMENTS)


def _comments(table: Table) -> dict[str, str]:
    return {
        "": f"Versions of the application's {table.comment}. One row per (id, change of its content seen by a read)."
        " The version with the greatest change_id is current.",
        ".is_removed": "The row was deleted in the application; the other columns repeat its last content.",
        ".observed_date": "UTC day on which this version was first seen; never before that of the previous version.",
    }


_VERSIONS: Final = """
    create table if not exists raw.{name} (
        id text not null,
        {columns},
        version_hash bytea not null,
        observed_date date not null,
        is_removed boolean not null,
        change_id bigint not null
    )
    """
_WATERMARKS: Final = """
    create table if not exists ops.application_reads (
        table_name text primary key,
        source_fingerprint text not null,
        changed_until timestamptz,
        full_read_date date not null,
        current_rows bigint not null,
        read_at timestamptz not null default clock_timestamp()
    )
    """

_COMMENTS: Final = {
    "ops.application_reads": "Watermarks: the point up to which each table of the application was read. Moves together"
    " with the versions.",
    "ops.application_reads.source_fingerprint": "Digest of the database, the table, the columns read and the hash key."
    " A new digest causes a full read.",
    "ops.application_reads.changed_until": "Latest updated_at of the read; the next read begins an overlap before it."
    " Null: the next read is full.",
    **{f"raw.{table.name}{column}": text for table in TABLES for column, text in _comments(table).items()},
}
