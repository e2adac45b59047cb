"""Declaration of the application's tables and columns, and DDL of their version tables in schema raw.

sync.py reads them. Undeclared columns never leave the application's database.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import psycopg
from psycopg import sql

from warehouse.locks import AdvisoryLock

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
        for table in TABLES:
            for statement in _statements(table):
                cursor.execute(statement)
        cursor.execute(_WATERMARKS)


_WATERMARKS: Final = """
    create table if not exists ops.application_reads (
        table_name text primary key,
        source_fingerprint text not null,
        changed_until timestamptz,
        full_read_date date not null,
        current_rows bigint not null,
        read_at timestamptz not null default clock_timestamp()
    );
    comment on table ops.application_reads is
        'Watermarks: the point up to which each table of the application was read. Moves together with the versions.';
    comment on column ops.application_reads.source_fingerprint is
        'Digest of the database, the table, the columns read and the hash key. A new digest causes a full read.';
    comment on column ops.application_reads.changed_until is
        'Latest updated_at of the read; the next read begins an overlap before it. Null: the next read is full.'
    """


def _statements(table: Table) -> list[sql.Composed]:
    raw = sql.Identifier("raw", table.name)
    columns = sql.SQL(",\n    ").join(
        sql.SQL("{} {}{}").format(
            sql.Identifier(column.raw_name),
            sql.SQL(column.raw_type),
            sql.SQL(" not null" if column.name == "id" else ""),
        )
        for column in table.columns
    )
    comment = (
        f"Versions of the application's {table.comment}. One row per (id, change of its content seen by a read)."
        " The version with the greatest change_id is current."
    )
    return [
        sql.SQL(
            """
            create table if not exists {} (
                {},
                version_hash bytea not null,
                observed_date date not null,
                is_removed boolean not null,
                change_id bigint not null
            )
            """
        ).format(raw, columns),
        # Unique, and in the order in which the latest version of every id is looked up.
        sql.SQL("create unique index if not exists {} on {} (id, change_id desc)").format(
            sql.Identifier(f"{table.name}_versions"), raw
        ),
        sql.SQL("comment on table {} is {}").format(raw, sql.Literal(comment)),
        sql.SQL("comment on column {} is {}").format(
            sql.Identifier("raw", table.name, "is_removed"),
            sql.Literal("The row was deleted in the application; the other columns repeat its last content."),
        ),
        sql.SQL("comment on column {} is {}").format(
            sql.Identifier("raw", table.name, "observed_date"),
            sql.Literal("UTC day on which this version was first seen; never before that of the previous version."),
        ),
    ]
