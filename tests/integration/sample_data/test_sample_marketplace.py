"""The sample marketplace's application database, and its way into raw."""

from datetime import date

import psycopg
import pytest

from ingestion import schema
from ingestion.application import schema as application_schema
from ingestion.application.source import connect_application
from ingestion.application.sync import read_application
from sample_data import MAIL_DOMAIN, PASSWORD_MARK, Marketplace
from sample_data.application_tables import write_application
from tests.support.command_line import run_command
from warehouse.connection import Warehouse

KEY = "a key of the tests, long enough"


def test_writing_the_application_twice_changes_nothing(warehouse: Warehouse) -> None:
    assert warehouse.application_url
    tables = Marketplace(days=3).application_tables()
    with connect_application(warehouse.application_url) as connection:
        first = write_application(connection, tables)
        second = write_application(connection, tables)
    assert first == sum(map(len, tables.values()))
    assert second == 0


def test_days_that_pass_become_versions(warehouse: Warehouse, connection: psycopg.Connection) -> None:
    """Licenses that are signed, shares that change hands: the new content is appended and the old one stays."""
    assert warehouse.application_url
    schema.create(connection)
    application_schema.create(connection)
    with connect_application(warehouse.application_url) as source:
        for days in (3, 8, 3):
            write_application(source, Marketplace(days=days).application_tables())
            source.commit()
            report = read_application(
                # The third day had no payouts yet.
                source,
                connection,
                observed_date=date(2026, 10, days),
                hash_key=KEY,
                accept_removals=["payouts"],
            )
    statuses = connection.execute(
        "select array_agg(distinct status) from raw.licenses group by id having count(distinct status) > 1"
    ).fetchall()
    assert (["active", "pending"],) in statuses
    # Back to the state of the third day: what was created since is gone, and raw says so.
    assert report.counts["licenses"].removed > 0
    assert report.counts["users"].removed > 0
    shares = connection.execute("select count(*) from raw.ip_ownerships where end_date is not null").fetchone()
    assert shares is not None
    assert shares[0] > 0


def test_nothing_personal_reaches_the_warehouse(warehouse: Warehouse, connection: psycopg.Connection) -> None:
    assert warehouse.application_url
    schema.create(connection)
    application_schema.create(connection)
    with connect_application(warehouse.application_url) as source:
        write_application(source, Marketplace(days=1).application_tables())
        source.commit()
        read_application(source, connection, observed_date=date(2026, 10, 1), hash_key=KEY)
    found = []
    for table in application_schema.TABLES:
        text = connection.execute(f"select string_agg(row::text, ' ') from raw.{table.name} as row").fetchone()
        found += [mark for mark in (MAIL_DOMAIN, PASSWORD_MARK) if text and text[0] and mark in text[0]]
    assert found == []
    assert connection.execute("select count(email_hash) > 500 from raw.users").fetchone() == (True,)


def test_the_command_fills_the_database_once(warehouse: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    assert warehouse.application_url
    arguments = ["--app-url", warehouse.application_url, "--days", "1"]
    assert run_command("sample", "write", *arguments) == 0
    assert "; 0 were written" not in capsys.readouterr().out
    assert run_command("sample", "write", *arguments) == 0
    assert "; 0 were written" in capsys.readouterr().out


def test_the_command_says_what_is_wrong_when_the_database_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("sample", "write", "--app-url", "postgresql://app:tell-nobody@127.0.0.1:1/shop") == 1
    said = capsys.readouterr().err
    assert "127.0.0.1:1/shop as app cannot be opened" in said
    assert "tell-nobody" not in said
