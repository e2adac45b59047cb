"""Reads of the application that fail, or meet other reads: errors and their messages."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ingestion.application.source import ApplicationSchemaError, ApplicationUnavailable, connect_application
from ingestion.application.sync import read_application
from tests.integration.ingestion.application.conftest import DAY, KEY, Change, Read, rows
from warehouse.connection import Warehouse


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
