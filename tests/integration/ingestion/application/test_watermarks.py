"""Watermarks: the rows of the application that a read covers, and implausible losses, on a real server."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ingestion import schema
from ingestion.application import schema as application_schema
from ingestion.application.schema import TABLES
from ingestion.application.source import connect_application
from ingestion.application.sync import ApplicationReport, read_application
from ingestion.application.watermarks import FULL_READ_DAYS, ApplicationRowsMissing
from warehouse.connection import Warehouse

KEY = "a key of the tests, long enough"
DAY = date(2026, 10, 1)
WITH_CHANGE_TIMES = {"users": "timestamptz", "licenses": "timestamptz", "payouts": "timestamp"}

Change = Callable[[str], None]
Read = Callable[..., ApplicationReport]


@pytest.fixture
def raw(connection: psycopg.Connection) -> psycopg.Connection:
    schema.create(connection)
    application_schema.create(connection)
    connection.commit()
    return connection


@pytest.fixture
def change(warehouse: Warehouse) -> Change:
    """A statement in the application; its tables exist, three of them with `updated_at`, and 40 licenses."""
    assert warehouse.application_url is not None
    url = warehouse.application_url

    def run(statement: str) -> None:
        with psycopg.connect(url) as application:
            application.execute(statement)

    for table in TABLES:
        columns = [f"{column.name} {'text' if column.kind == 'email' else column.kind}" for column in table.columns]
        if table.name in WITH_CHANGE_TIMES:
            columns.append(f"updated_at {WITH_CHANGE_TIMES[table.name]} default '2026-09-01'")
        run(f"create table {table.name} ({', '.join(columns)}, primary key (id))")
    run("insert into licenses (id, fee_cents) select 'l' || n, n from generate_series(1, 40) as n")
    run("insert into users (id, email) values ('u1', 'ana@mail.example')")
    run("insert into projects (id) values ('p1')")
    return run


@pytest.fixture
def read(warehouse: Warehouse, raw: psycopg.Connection, change: Change) -> Read:
    url = warehouse.application_url
    assert url is not None

    def run(observed_date: date = DAY, hash_key: str = KEY, **options: Any) -> ApplicationReport:
        with connect_application(url) as source, raw.transaction():
            return read_application(source, raw, observed_date=observed_date, hash_key=hash_key, **options)

    return run


def licenses(raw: psycopg.Connection) -> list[tuple[Any, ...]]:
    return raw.execute("select id, fee_cents, is_removed from raw.licenses order by change_id desc, id").fetchall()


def test_only_what_has_changed_is_read_where_a_table_says_when(
    read: Read, raw: psycopg.Connection, change: Change
) -> None:
    first = read()
    change("update licenses set fee_cents = 0, updated_at = '2026-09-09' where id = 'l7'")
    second = read()
    third = read()

    assert (first.counts["licenses"].is_full, first.counts["licenses"].rows_read) == (True, 40)
    # The first read saw one time in all rows, which is within the overlap; the second saw a later one.
    assert (second.counts["licenses"].is_full, second.counts["licenses"].versions_appended) == (False, 1)
    counts = third.counts["licenses"]
    assert (counts.is_full, counts.rows_read, counts.rows_present, counts.versions_appended) == (False, 1, 40, 0)
    assert licenses(raw)[0] == ("l7", 0, False)


def test_a_table_without_change_times_is_read_in_full(read: Read, change: Change) -> None:
    read()
    change("update projects set name = 'new'")

    counts = read().counts["projects"]
    assert (counts.is_full, counts.versions_appended) == (True, 1)


def test_a_change_that_was_committed_late_is_found(read: Read, change: Change) -> None:
    change("update licenses set updated_at = '2026-09-20 12:00+00' where id = 'l1'")
    read()
    change(
        "update licenses set fee_cents = 0,"
        " updated_at = timestamptz '2026-09-20 12:00+00' - interval '23 hours' where id = 'l2'"
    )

    counts = read().counts["licenses"]
    assert (counts.is_full, counts.versions_appended) == (False, 1)


def test_a_new_row_with_an_old_time_and_a_row_without_a_time_are_found(read: Read, change: Change) -> None:
    change("update licenses set updated_at = '2026-09-20' where id = 'l1'")
    read()
    change("update licenses set fee_cents = 0, updated_at = null where id = 'l2'")
    assert read().counts["licenses"].versions_appended == 1
    change("insert into licenses (id, updated_at) values ('imported', '2020-01-01')")

    assert read().counts["licenses"].versions_appended == 1


def test_a_deleted_row_is_noticed_and_so_is_its_return_with_its_old_time(
    read: Read, raw: psycopg.Connection, change: Change
) -> None:
    change("update licenses set updated_at = '2026-09-20' where id = 'l1'")
    read()
    change("create table kept as select * from licenses where id = 'l2'; delete from licenses where id = 'l2'")
    gone = read().counts["licenses"]
    assert licenses(raw)[0] == ("l2", 2, True)
    change("insert into licenses select * from kept")
    back = read().counts["licenses"]

    assert (gone.is_full, gone.removed, gone.versions_appended) == (False, 1, 1)
    assert (back.removed, back.versions_appended) == (0, 1)
    assert licenses(raw)[0] == ("l2", 2, False)


def test_a_time_that_is_still_to_come_hides_no_change(read: Read, change: Change) -> None:
    change("update licenses set updated_at = '2999-01-01' where id = 'l1'")
    change("update licenses set updated_at = 'infinity' where id = 'l2'")
    read()
    change("update licenses set fee_cents = 0, updated_at = now() where id = 'l3'")

    counts = read().counts["licenses"]
    assert (counts.is_full, counts.versions_appended) == (False, 1)


def test_a_change_that_left_its_time_as_it_was_is_found_by_the_next_full_read(read: Read, change: Change) -> None:
    change("update licenses set updated_at = '2026-09-20' where id = 'l1'")
    read()
    change("update licenses set fee_cents = 0 where id = 'l2'")

    assert read(DAY + timedelta(days=FULL_READ_DAYS - 1)).counts["licenses"].versions_appended == 0
    assert read(DAY + timedelta(days=FULL_READ_DAYS)).counts["licenses"].versions_appended == 1
    change("update licenses set fee_cents = 0 where id = 'l3'")
    assert read(DAY + timedelta(days=FULL_READ_DAYS), is_full=True).counts["licenses"].versions_appended == 1


@pytest.mark.parametrize(
    "what",
    [
        "create table twin as select * from licenses; update twin set fee_cents = -1 where id = 'l3'; "
        "alter table twin add primary key (id); drop table licenses; alter table twin rename to licenses",
        # As in a backup: nothing there is as late as what was seen.
        "update licenses set updated_at = '2026-09-01', fee_cents = -fee_cents where id in ('l1', 'l3')",
    ],
    ids=["a table that is created again", "an older state"],
)
def test_what_is_another_table_than_before_is_read_in_full(read: Read, change: Change, what: str) -> None:
    change("update licenses set updated_at = '2026-09-20' where id = 'l1'")
    read()
    change(what)

    counts = read().counts["licenses"]
    assert counts.is_full
    assert counts.versions_appended > 0


def test_a_new_hash_key_reaches_every_address(read: Read, raw: psycopg.Connection, change: Change) -> None:
    change("insert into users (id, email, updated_at) values ('u2', 'ben@mail.example', '2026-09-20')")
    read()

    assert read(hash_key="another key, also long enough").counts["users"].versions_appended == 2


def test_a_failed_read_moves_no_state(read: Read, raw: psycopg.Connection, change: Change) -> None:
    read()
    before = raw.execute("select * from ops.application_reads order by 1").fetchall()
    raw.commit()
    change("update licenses set fee_cents = 0, updated_at = '2026-09-20' where id = 'l1'; delete from projects")
    with pytest.raises(ApplicationRowsMissing):
        read()

    assert raw.execute("select * from ops.application_reads order by 1").fetchall() == before
    raw.commit()
    assert read(accept_removals=["projects"]).counts["licenses"].versions_appended == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_reads_of_changes_end_at_the_same_versions_as_reads_in_full(
    read: Read, raw: psycopg.Connection, change: Change, seed: int
) -> None:
    """Two reads of one history: once by reads of the changes, once by reads in full. The versions are equal, not only
    the last ones."""
    chance = random.Random(seed)  # noqa: S311
    history = []
    for step in range(6):
        at = f"timestamptz '2026-09-10' + interval '{step} days'"
        ids = ", ".join(f"'l{chance.randrange(1, 41)}'" for _ in range(3))
        history.append(
            [
                f"insert into licenses (id, fee_cents, updated_at) values ('new{step}', {step}, {at})",
                f"update licenses set fee_cents = {chance.randrange(9)}, updated_at = {at} where id in ({ids})",
                f"delete from licenses where id = 'l{chance.randrange(1, 41)}'",
                f"update users set email = 'u{step % 2}@mail.example', updated_at = {at}",
            ]
        )
    content = (
        "select id, fee_cents, observed_date, is_removed, version_hash from raw.licenses union all"
        " select id, 0, observed_date, is_removed, version_hash from raw.users order by 1, 3, 4, 5"
    )
    change("create table licenses_at_first as table licenses; create table users_at_first as table users")
    versions = []
    kinds = []
    for is_full in (False, True):
        for table in ("licenses", "users"):
            change(f"truncate {table}; insert into {table} select * from {table}_at_first")
            raw.execute(sql.SQL("truncate {}").format(sql.Identifier("raw", table)))
        raw.execute("truncate ops.application_reads")
        raw.commit()
        read(is_full=is_full)
        for step, statements in enumerate(history, start=1):
            change("; ".join(statements))
            kinds.append(read(DAY + timedelta(days=step), is_full=is_full).counts["licenses"].is_full)
        versions.append(raw.execute(content).fetchall())
        raw.commit()

    assert kinds == [False] * 6 + [True] * 6, "the first half is of changes, or this test shows nothing"
    assert versions[0] == versions[1]
    assert any(row[3] for row in versions[0])


def test_a_table_that_is_suddenly_empty_is_refused_by_name_and_raw_stays(
    read: Read, raw: psycopg.Connection, change: Change
) -> None:
    read()
    change("delete from projects; delete from licenses; update users set role = 'brand', updated_at = now()")

    with pytest.raises(ApplicationRowsMissing) as refused:
        read()
    assert "licenses: 40 of 40 rows are gone; projects: 1 of 1 rows are gone" in str(refused.value)
    assert "accept_removals: [licenses, projects]" in str(refused.value)
    assert raw.execute("select count(*) from raw.licenses where is_removed").fetchone() == (0,)
    assert raw.execute("select count(*) from raw.users").fetchone() == (1,)
    raw.commit()

    with pytest.raises(ApplicationRowsMissing, match="projects"):
        read(accept_removals=["licenses"])
    report = read(accept_removals=["licenses", "projects"])
    assert (report.counts["licenses"].removed, report.counts["projects"].removed) == (40, 1)
    assert read().versions_appended == 0, "a table that was empty before may be empty"


def test_a_table_that_has_lost_most_of_its_rows_is_refused_and_one_that_lost_half_is_not(
    read: Read, change: Change
) -> None:
    read()
    change("delete from licenses where fee_cents > 20")
    assert read().counts["licenses"].removed == 20
    change("insert into licenses (id) select 'm' || n from generate_series(1, 20) as n")
    read()
    change("delete from licenses where fee_cents is null; delete from licenses where fee_cents = 1")

    with pytest.raises(ApplicationRowsMissing, match="licenses: 21 of 40 rows are gone"):
        read()


def test_an_optional_table_that_has_vanished_with_its_rows_is_refused(read: Read, change: Change) -> None:
    change("insert into license_adjustments (id) values ('a1')")
    read()
    change("drop table license_adjustments")

    with pytest.raises(ApplicationRowsMissing, match="license_adjustments: 1 of 1"):
        read()


def test_a_removal_of_a_table_that_does_not_exist_cannot_be_accepted(read: Read) -> None:
    with pytest.raises(ValueError, match="names no table of the application: license"):
        read(accept_removals=["license"])
