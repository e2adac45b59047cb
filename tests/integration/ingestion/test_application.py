"""The application's tables become versions in raw: on two databases of a real server."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ingestion import schema
from ingestion.application import schema as application_schema
from ingestion.application.source import hash_email
from ingestion.application.sync import (
    ApplicationReport,
    ApplicationSchemaError,
    ApplicationUnavailable,
    connect_application,
    read_application,
)
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
    with psycopg.connect(warehouse.application_url) as application:
        application.execute(SOURCE)
    return warehouse.application_url


Change = Callable[[str], None]
Read = Callable[..., ApplicationReport]


@pytest.fixture
def change(source_url: str) -> Change:
    def run(statement: str) -> None:
        with psycopg.connect(source_url) as application:
            application.execute(statement)

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


def test_the_first_read_appends_every_row_once(read: Read, raw: psycopg.Connection) -> None:
    report = read()

    assert {name: counts.versions_appended for name, counts in report.counts.items()} == {
        "users": 2,
        "creators": 0,
        "brands": 0,
        "ip_assets": 1,
        "ip_ownerships": 1,
        "projects": 0,
        "licenses": 2,
        "license_adjustments": 0,
        "payouts": 0,
    }
    assert report.rows_read == report.versions_appended == 6
    assert rows(
        raw, "select id, share_bps, start_date, end_date, observed_date, is_removed from raw.ip_ownerships"
    ) == [("1", 10000, date(2026, 9, 1), None, DAY, False)]


def test_reading_twice_without_a_change_appends_nothing_and_draws_no_change_id(
    read: Read, raw: psycopg.Connection
) -> None:
    first = read()
    raw.execute("set timezone = 'America/New_York'")

    second = read(date(2026, 10, 2))

    assert first.change_id is not None
    assert second.change_id is None
    assert second.versions_appended == 0
    assert second.rows_read == 6
    assert rows(raw, "select last_value from ops.change_id_seq") == [(first.change_id,)]


def test_every_text_arrives_as_it_was(read: Read, raw: psycopg.Connection) -> None:
    read()

    assert rows(raw, "select title from raw.ip_assets") == [("tab\t, newline\n, backslash \\ and \\N",)]


def test_times_without_a_zone_are_utc(read: Read, raw: psycopg.Connection) -> None:
    read()

    assert rows(raw, "select count(*) from raw.users where created_at = '2026-09-01 12:00+00'") == [(1,)]


def test_a_changed_row_gets_a_version_with_its_day_and_the_others_none(
    read: Read, raw: psycopg.Connection, change: Change
) -> None:
    read()
    change("update licenses set status = 'active' where id = 'l2'")

    report = read(date(2026, 10, 5))

    assert report.versions_appended == report.counts["licenses"].versions_appended == 1
    assert rows(raw, "select id, status, observed_date from raw.licenses order by change_id, id") == [
        ("l1", "active", DAY),
        ("l2", "pending", DAY),
        ("l2", "active", date(2026, 10, 5)),
    ]


def test_a_change_back_to_an_earlier_content_is_a_version_too(
    read: Read, raw: psycopg.Connection, change: Change
) -> None:
    read()
    for status in ("active", "pending"):
        change(f"update licenses set status = '{status}' where id = 'l2'")
        read()

    assert rows(raw, "select status from raw.licenses where id = 'l2' order by change_id") == [
        ("pending",),
        ("active",),
        ("pending",),
    ]


def test_a_vanished_row_gets_one_version_that_says_so_and_one_when_it_is_back(
    read: Read, raw: psycopg.Connection, change: Change
) -> None:
    read()
    change("create table kept as select * from licenses where id = 'l1'; delete from licenses where id = 'l1'")
    gone = read(date(2026, 10, 2))
    still_gone = read(date(2026, 10, 3))
    change("insert into licenses select * from kept")
    back = read(date(2026, 10, 4))

    assert (gone.counts["licenses"].removed, gone.counts["licenses"].versions_appended) == (1, 1)
    assert still_gone.versions_appended == 0
    assert (back.counts["licenses"].removed, back.counts["licenses"].versions_appended) == (0, 1)
    versions = "select is_removed, fee_cents, observed_date from raw.licenses where id = 'l1' order by change_id"
    assert rows(raw, versions) == [
        (False, 5000, DAY),
        (True, 5000, date(2026, 10, 2)),
        (False, 5000, date(2026, 10, 4)),
    ]


def test_a_version_is_never_observed_before_the_one_it_follows(
    read: Read, raw: psycopg.Connection, change: Change
) -> None:
    read(date(2026, 10, 5))
    change("update licenses set status = 'active' where id = 'l2'")

    read(date(2026, 10, 3))

    assert rows(raw, "select observed_date from raw.licenses where id = 'l2' order by change_id") == [
        (date(2026, 10, 5),),
        (date(2026, 10, 5),),
    ]


def test_changed_licenses_are_those_that_are_new_gone_back_or_point_elsewhere(
    read: Read, raw: psycopg.Connection, change: Change
) -> None:
    def changed(report: ApplicationReport) -> set[str]:
        recorded = raw.execute(
            "select license_id from ops.changed_licenses where change_id = %s", [report.change_id]
        ).fetchall()
        assert report.changed_licenses == len(recorded)
        return {license_id for (license_id,) in recorded}

    assert changed(read()) == {"l1", "l2"}
    change("update licenses set fee_cents = 1, status = 'expired'")
    assert changed(read()) == set()
    change("update licenses set project_id = 'p2' where id = 'l2'")
    assert changed(read()) == {"l2"}
    change("update licenses set ip_asset_id = null where id = 'l1'")
    assert changed(read()) == {"l1"}
    change("delete from licenses where id = 'l1'")
    assert changed(read()) == {"l1"}
    change("insert into licenses (id) values ('l1')")
    assert changed(read()) == {"l1"}


def test_e_mail_addresses_arrive_only_as_a_keyed_hash(read: Read, raw: psycopg.Connection) -> None:
    read()

    hashes = dict(rows(raw, "select role, email_hash from raw.users"))
    assert hashes == {"creator": hash_email("ana@mail.example", KEY.encode()), "brand": None}
    assert hashes["creator"] != hash_email("ana@mail.example", b"another key, also long enough")
    assert not [row for row in rows(raw, "select u::text from raw.users as u") if "example" in row[0].lower()]


def test_an_address_with_characters_that_copy_escapes_is_hashed_as_it_is(
    read: Read, raw: psycopg.Connection, change: Change
) -> None:
    change(r"update users set email = E'a\\b\tc@mail.example' where role = 'brand'")
    read()

    assert rows(raw, "select email_hash from raw.users where role = 'brand'") == [
        (hash_email("a\\b\tc@mail.example", KEY.encode()),)
    ]


def test_a_short_hash_key_is_refused(read: Read) -> None:
    with pytest.raises(ValueError, match="WAREHOUSE_HASH_KEY must have at least 16 characters"):
        read(hash_key="short")


def test_columns_that_are_not_declared_stay_in_the_application(read: Read, raw: psycopg.Connection) -> None:
    read()

    names = "select column_name from information_schema.columns where table_schema = 'raw' and table_name = 'users'"
    assert {name for (name,) in rows(raw, names)} == {
        "id",
        "email_hash",
        "role",
        "created_at",
        "deleted_at",
        "version_hash",
        "observed_date",
        "is_removed",
        "change_id",
    }


def test_adjustments_are_read_where_the_application_has_them(
    read: Read, raw: psycopg.Connection, change: Change
) -> None:
    change(
        "create table license_adjustments (id int primary key, license_id text, amount_cents int, reason text,"
        " effective_date date, created_at timestamptz);"
        "insert into license_adjustments values (7, 'l1', -500, 'refund', '2026-10-01', '2026-10-01')"
    )
    read()

    assert rows(raw, "select id, amount_cents from raw.license_adjustments") == [("7", -500)]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("drop table payouts", "no table payouts"),
        ("alter table ip_ownerships drop column share_bps", "ip_ownerships has no column share_bps"),
        ("alter table payouts alter amount_cents type numeric", "payouts.amount_cents is of type numeric"),
        ("alter table licenses alter start_date type text", "licenses.start_date is of type text"),
        (
            "alter table payouts drop constraint payouts_pkey; insert into payouts (id) values ('x'), ('x')",
            "payouts has rows with a repeated or missing id",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_named_and_nothing_is_stored(
    read: Read, raw: psycopg.Connection, change: Change, statement: str, message: str
) -> None:
    change(statement)

    with pytest.raises(ApplicationSchemaError, match=message):
        read()
    raw.rollback()
    assert rows(raw, "select (select count(*) from raw.users), (select count(*) from ops.changed_licenses)") == [(0, 0)]


def test_a_failed_read_leaves_both_connections_usable(source_url: str, raw: psycopg.Connection, change: Change) -> None:
    change("alter table payouts drop constraint payouts_pkey; insert into payouts (id) values ('x'), ('x')")
    with connect_application(source_url) as source:
        with pytest.raises(ApplicationSchemaError):
            read_application(source, raw, observed_date=DAY, hash_key=KEY)
        change("delete from payouts")
        assert read_application(source, raw, observed_date=DAY, hash_key=KEY).rows_read == 6


def test_a_table_that_may_not_be_read_is_named_with_the_grant_it_needs(
    source_url: str, raw: psycopg.Connection, warehouse: Warehouse, change: Change
) -> None:
    parts: dict[str, Any] = conninfo_to_dict(source_url) | {"user": "reader", "password": "secret-of-reader"}
    with psycopg.connect(warehouse.superuser_url(parts["dbname"]), autocommit=True) as superuser:
        superuser.execute("create role reader login password 'secret-of-reader'")
        superuser.execute(sql.SQL("grant connect on database {} to reader").format(sql.Identifier(parts["dbname"])))
        superuser.execute("grant usage on schema public to reader; grant select on users to reader")
        try:
            with (
                connect_application(make_conninfo(**parts)) as source,
                pytest.raises(ApplicationUnavailable, match="grant select on creators to reader"),
            ):
                read_application(source, raw, observed_date=DAY, hash_key=KEY)
        finally:
            superuser.execute("drop owned by reader; drop role reader")


def test_of_two_reads_at_once_the_second_sees_what_the_first_appended(
    source_url: str, raw: psycopg.Connection, warehouse: Warehouse
) -> None:
    def read_once(connection: psycopg.Connection) -> int:
        with connect_application(source_url) as source:
            return read_application(source, connection, observed_date=DAY, hash_key=KEY).versions_appended

    with warehouse.connect() as other, ThreadPoolExecutor() as threads, raw.transaction():
        assert read_once(raw) == 6
        second = threads.submit(read_once, other)
        for _ in range(200):
            waiting = raw.execute("select 1 from pg_locks where locktype = 'advisory' and not granted").fetchone()
            if waiting or second.done():
                break
            raw.execute("select pg_sleep(0.05)")
        assert waiting, "the second read did not wait for the first"
    assert second.result() == 0


def test_a_source_inside_a_transaction_is_refused(source_url: str, raw: psycopg.Connection) -> None:
    with connect_application(source_url) as source:
        source.execute("select 1")
        with pytest.raises(ValueError, match="inside a transaction"):
            read_application(source, raw, observed_date=DAY, hash_key=KEY)


def test_the_application_is_read_as_of_one_moment(source_url: str, raw: psycopg.Connection, change: Change) -> None:
    """A license that is deleted while the tables are read is either there with its payouts or not at all."""

    class Interrupted(psycopg.Cursor[Any]):
        def copy(self, *arguments: Any, **options: Any) -> Any:
            change("delete from licenses")
            return super().copy(*arguments, **options)

    with connect_application(source_url) as source:
        source.cursor_factory = Interrupted
        report = read_application(source, raw, observed_date=DAY, hash_key=KEY)

    assert report.counts["licenses"].rows_read == 2


def test_an_application_that_cannot_be_reached_is_named_without_its_password() -> None:
    with (
        pytest.raises(ApplicationUnavailable, match=r"127\.0\.0\.1:1/shop as app") as raised,
        connect_application("postgresql://app:tell-nobody@127.0.0.1:1/shop"),
    ):
        pass
    assert "tell-nobody" not in str(raised.value)


def test_a_wrong_password_is_reported_without_printing_it(source_url: str) -> None:
    parts: dict[str, Any] = conninfo_to_dict(source_url) | {"password": "tell-nobody"}
    with (
        pytest.raises(ApplicationUnavailable, match="password authentication failed") as raised,
        connect_application(make_conninfo(**parts)),
    ):
        pass
    assert "tell-nobody" not in str(raised.value)


def test_an_address_that_is_none_is_reported_without_printing_it() -> None:
    with (
        pytest.raises(ApplicationUnavailable, match="APP_DATABASE_URL is no database address") as raised,
        connect_application("postgresql//app:tell-nobody@host/shop"),
    ):
        pass
    assert "tell-nobody" not in str(raised.value)
    assert raised.value.__suppress_context__
