"""Synchronisation of the application's tables: versions in raw, on two databases of a real server."""

from datetime import date

import psycopg

from ingestion.application.source import hash_email
from ingestion.application.sync import ApplicationReport
from tests.integration.ingestion.application.conftest import DAY, KEY, Change, Read, rows


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
