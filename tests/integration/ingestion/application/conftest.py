"""An application's database beside the warehouse, and reads of its tables."""

from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest

from ingestion import schema
from ingestion.application import schema as application_schema
from ingestion.application.source import connect_application
from ingestion.application.sync import ApplicationReport, read_application
from tests.integration.ingestion.application.event_source import application, extract  # noqa: F401
from warehouse.connection import Warehouse

KEY = "a key of the tests, long enough"
DAY = date(2026, 10, 1)

SOURCE = """
create table users (
    id uuid primary key, email text, role text, password_hash text, created_at timestamp, deleted_at timestamp
);
create table creators (
    id text primary key, user_id uuid, display_name text, created_at timestamptz, deleted_at timestamptz
);
create table brands (
    id text primary key, user_id uuid, company_name text, created_at timestamptz, deleted_at timestamptz
);
create table ip_assets (
    id text primary key, title text, type text, created_by text, created_at timestamptz, deleted_at timestamptz
);
create table ip_ownerships (
    id integer primary key, ip_asset_id text, creator_id text, share_bps integer, start_date date, end_date date
);
create table projects (id text primary key, brand_id text, name text, budget_cents integer, created_at timestamptz);
create table licenses (
    id text primary key, ip_asset_id text, brand_id text, project_id text, parent_license_id text,
    fee_cents integer, status text, start_date date, end_date date, created_at timestamptz
);
create table payouts (id text primary key, creator_id text, amount_cents bigint, status text, created_at timestamptz);
insert into users values
    ('00000000-0000-0000-0000-00000000000A', 'Ana@Mail.Example ', 'creator', 'argon2', '2026-09-01 12:00', null),
    ('00000000-0000-0000-0000-00000000000b', null, 'brand', 'argon2', '2026-09-02 12:00', null);
insert into ip_assets values ('a1', E'tab\\t, newline\\n, backslash \\\\ and \\\\N', 'image', 'c1', '2026-09-01', null);
insert into ip_ownerships values (1, 'a1', 'c1', 10000, '2026-09-01', null);
insert into licenses values
    ('l1', 'a1', 'b1', 'p1', null, 5000, 'active', '2026-09-01', null, '2026-09-01'),
    ('l2', 'a1', 'b1', null, 'l1', 0, 'pending', null, null, '2026-09-01');
"""


@pytest.fixture
def raw(connection: psycopg.Connection) -> psycopg.Connection:
    schema.create(connection)
    application_schema.create(connection)
    connection.commit()
    return connection


@pytest.fixture
def source_url(warehouse: Warehouse) -> str:
    """The application's database beside the warehouse, with its tables and a few rows."""
    assert warehouse.application_url is not None
    with psycopg.connect(warehouse.application_url) as source:
        source.execute(SOURCE)
    return warehouse.application_url


Change = Callable[[str], None]
Read = Callable[..., ApplicationReport]


@pytest.fixture
def change(source_url: str) -> Change:
    def run(statement: str) -> None:
        with psycopg.connect(source_url) as source:
            source.execute(statement)

    return run


@pytest.fixture
def read(source_url: str, raw: psycopg.Connection) -> Read:
    def run(observed_date: date = DAY, hash_key: str = KEY) -> ApplicationReport:
        with connect_application(source_url) as source:
            report = read_application(source, raw, observed_date=observed_date, hash_key=hash_key)
        raw.commit()
        return report

    return run


def rows(raw: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return raw.execute(query).fetchall()
