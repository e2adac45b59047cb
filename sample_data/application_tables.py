"""Writer of the sample's application tables, with the schema and foreign keys of a usual ORM."""

from typing import Final

import psycopg
from psycopg import sql

from sample_data.application_rows import TABLE_NAMES, Row

# Real applications have full names and password hashes; the warehouse must not read them.
_DDL: Final = """
create table if not exists users (
    id text primary key,
    email text not null unique,
    role text not null,
    full_name text not null,
    password_hash text not null,
    created_at timestamptz not null,
    deleted_at timestamptz
);
create table if not exists creators (
    id text primary key,
    user_id text not null references users deferrable initially deferred,
    display_name text not null,
    created_at timestamptz not null,
    deleted_at timestamptz
);
create table if not exists brands (
    id text primary key,
    user_id text not null references users deferrable initially deferred,
    company_name text not null,
    created_at timestamptz not null,
    deleted_at timestamptz
);
create table if not exists ip_assets (
    id text primary key,
    title text not null,
    type text not null,
    created_by text not null references users deferrable initially deferred,
    created_at timestamptz not null,
    deleted_at timestamptz
);
create table if not exists ip_ownerships (
    id text primary key,
    ip_asset_id text not null references ip_assets deferrable initially deferred,
    creator_id text not null references creators deferrable initially deferred,
    share_bps integer not null check (share_bps between 1 and 10000),
    start_date date not null,
    end_date date
);
create table if not exists projects (
    id text primary key,
    brand_id text not null references brands deferrable initially deferred,
    name text not null,
    budget_cents bigint not null,
    created_at timestamptz not null
);
create table if not exists licenses (
    id text primary key,
    ip_asset_id text not null references ip_assets deferrable initially deferred,
    brand_id text not null references brands deferrable initially deferred,
    project_id text references projects deferrable initially deferred,
    parent_license_id text references licenses deferrable initially deferred,
    fee_cents bigint not null check (fee_cents >= 0),
    status text not null,
    start_date date not null,
    end_date date not null,
    created_at timestamptz not null
);
create table if not exists license_adjustments (
    id text primary key,
    license_id text not null references licenses deferrable initially deferred,
    amount_cents bigint not null,
    reason text not null,
    effective_date date not null,
    created_at timestamptz not null
);
create table if not exists payouts (
    id text primary key,
    creator_id text not null references creators deferrable initially deferred,
    amount_cents bigint not null,
    status text not null,
    created_at timestamptz not null
)
"""

# Tables with updated_at, of which the warehouse reads changes only; it reads the others in full.
_WITH_CHANGE_TIME: Final = ("users", "ip_assets", "licenses", "payouts")


def write_application(connection: psycopg.Connection, tables: dict[str, list[Row]]) -> int:
    """Replace the content of all tables in one transaction. Returns the number of rows that differed."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_DDL)
        for name in _WITH_CHANGE_TIME:
            cursor.execute(
                sql.SQL(
                    "alter table {} add column if not exists updated_at timestamptz not null default clock_timestamp()"
                ).format(sql.Identifier(name))
            )
        return sum(_replace(cursor, name, tables[name]) for name in TABLE_NAMES)


def _replace(cursor: psycopg.Cursor, name: str, rows: list[Row]) -> int:
    target, wanted = sql.Identifier(name), sql.Identifier("pg_temp", f"wanted_{name}")
    cursor.execute(sql.SQL("create temporary table {} (like {} including defaults)").format(wanted, target))
    names = list(rows[0]) if rows else ["id"]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    with cursor.copy(sql.SQL("copy {} ({}) from stdin").format(wanted, columns)) as copy:
        for row in rows:
            copy.write_row([row[column] for column in names])
    cursor.execute(
        sql.SQL("delete from {} as t where not exists (select from {} as w where w.id = t.id)").format(target, wanted)
    )
    deleted = cursor.rowcount
    cursor.execute(
        sql.SQL(
            """
            insert into {target} as t ({columns}) select {columns} from {wanted}
            on conflict (id) do update set ({columns}) = row({new}){change_time} where ({old}) is distinct from ({new})
            """
        ).format(
            target=target,
            wanted=wanted,
            columns=columns,
            change_time=sql.SQL(", updated_at = clock_timestamp()" if name in _WITH_CHANGE_TIME else ""),
            new=sql.SQL(", ").join(sql.Identifier("excluded", column) for column in names),
            old=sql.SQL(", ").join(sql.Identifier("t", column) for column in names),
        )
    )
    changed = cursor.rowcount
    cursor.execute(sql.SQL("drop table {}").format(wanted))
    return deleted + changed
