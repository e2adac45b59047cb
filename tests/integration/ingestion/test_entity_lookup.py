"""An entity's stored events: which they are, in what order, and that they are found by an index and not by a search."""

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from ingestion import day_partitions
from ingestion.contract import ENTITY_TYPES
from ingestion.raw_access.entity_lookup import entity_events, index_published_days
from tests.support.command_line import run_command
from tests.support.handmade_marts import DAY
from warehouse.connection import Warehouse

DAYS = [DAY + timedelta(days=number) for number in range(6)]


@pytest.fixture
def stored(connection: psycopg.Connection) -> psycopg.Connection:
    """Six days of 2,000 events each about 300 assets, the last of them not published yet."""
    connection.autocommit = True
    with connection.transaction(), connection.cursor() as cursor:
        day_partitions.create(cursor, DAYS)
    connection.execute(
        """
        insert into raw.events (event_date, event_key, event_id, event_type, occurred_at, received_at, source, actor_id,
            entity_type, entity_id, ip_asset_id, license_id, props, is_bot, canonical_hash, load_id, line_number)
        select day, number::text, gen_random_uuid(),
            case mod(number, 3) when 0 then 'asset_viewed' else 'page_viewed' end,
            (day + make_interval(secs => number / 2))::timestamp at time zone 'UTC', now(), 'web',
            'user-' || mod(number, 50), case mod(number, 2) when 0 then 'creator' end,
            case mod(number, 2) when 0 then 'asset-' || mod(number, 300) end, 'asset-' || mod(number, 300),
            case when number = 7 then 'license-7' end, '{}', false, '', 1, number
        from unnest(%s::date[]) as day, generate_series(1, 2000) as number
        """,
        [DAYS],
    )
    connection.execute(
        "insert into ops.published_days (event_date, build_id, run_id, change_id, model_version)"
        " select day, '', '', 1, '' from unnest(%s::date[]) as day",
        [DAYS[:-1]],
    )
    connection.execute("analyze raw.events")
    return connection


def found(connection: psycopg.Connection, kind: str, entity_id: str, **options: Any) -> list[tuple[Any, str]]:
    events = entity_events(connection, kind, entity_id, **options)
    return [(event["event_date"], event["event_key"]) for event in events]


def searched(connection: psycopg.Connection, condition: str) -> list[tuple[Any, ...]]:
    """Find the events of an entity by reading all events."""
    return connection.execute(
        f"select event_date, event_key from raw.events where {condition}"  # type: ignore[arg-type]
        ' order by occurred_at desc, event_key collate "C"'
    ).fetchall()


def scans(connection: psycopg.Connection) -> dict[str, int]:
    connection.execute("select pg_stat_force_next_flush()")
    return dict(
        connection.execute(
            "select relname, idx_scan from pg_stat_user_indexes where indexrelname like '%_entities'"
        ).fetchall()
    )


def test_an_entitys_events_are_found_newest_first_through_the_index_of_each_published_day(
    stored: psycopg.Connection,
) -> None:
    searches = {
        ("asset", "asset-17"): "ip_asset_id = 'asset-17'",
        ("creator", "asset-18"): "entity_type = 'creator' and entity_id = 'asset-18'",
        ("license", "license-7"): "license_id = 'license-7'",
        ("user", "user-3"): "actor_id = 'user-3'",
        ("project", "asset-17"): "false",
        ("asset", "ASSET-17"): "false",
    }
    expected = {entity: searched(stored, condition) for entity, condition in searches.items()}
    for entity, events in expected.items():
        assert found(stored, *entity) == events[:100], "without an index"
    assert index_published_days(stored) == DAYS[:-1]
    assert index_published_days(stored) == []
    for entity, events in expected.items():
        assert found(stored, *entity) == events[:100]
        assert found(stored, *entity, max_events=3) == events[:3]
        assert found(stored, *entity, max_events=10_000) == events
    assert len(expected["user", "user-3"]) > 100
    assert set(scans(stored)) == {f"events_{day:%Y%m%d}" for day in DAYS[:-1]}
    assert all(scans(stored).values()), "the index is what finds them"
    viewed = searched(stored, "ip_asset_id = 'asset-18' and event_type = 'asset_viewed'")
    assert viewed
    assert found(stored, "asset", "asset-18", event_type="asset_viewed") == viewed
    assert found(stored, "asset", "asset-17", event_type="asset_viewed") == []


def test_days_before_the_last_that_are_not_needed_are_not_looked_at(stored: psycopg.Connection) -> None:
    index_published_days(stored)
    assert len(found(stored, "asset", "asset-18", max_events=14)) == 14
    looked_at = [day for day, count in scans(stored).items() if count]
    assert looked_at == ["events_20261004", "events_20261005"], "seven a day: the last day, and the two before it"


@pytest.mark.parametrize("kind", ["invoice", "", "Asset"])
def test_an_entity_type_that_is_none_is_an_error(connection: psycopg.Connection, kind: str) -> None:
    with pytest.raises(ValueError, match=f"an entity is of a type .{', '.join(ENTITY_TYPES)}. and has an id"):
        entity_events(connection, kind, "asset-1")


@pytest.mark.parametrize("number", [0, -1, 10_001])
def test_the_number_of_events_is_bounded(connection: psycopg.Connection, number: int) -> None:
    with pytest.raises(ValueError, match="max_events is between 1 and 10000"):
        entity_events(connection, "asset", "asset-1", max_events=number)


def test_an_id_is_a_value_and_never_sql(stored: psycopg.Connection) -> None:
    for text in ("' or true --", "%s", "%1$L", "a:b"):
        assert found(stored, "asset", text, event_type=text) == []


def test_the_command_prints_a_line_an_event(
    stored: psycopg.Connection, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["entity-events", "asset", "asset-18", "--type", "asset_viewed", "--limit"]
    assert run_command(*arguments, "2", environment=warehouse.environment()) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(event["event_date"], event["ip_asset_id"]) for event in events] == [("2026-10-06", "asset-18")] * 2
    assert not {"canonical_hash", "project_id"} & set(events[0])
    assert run_command(*arguments, "0", environment=warehouse.environment()) == 1
    assert capsys.readouterr().err == "error: --limit is between 1 and 10000, not 0\n"


def test_the_command_says_that_it_found_nothing(
    stored: psycopg.Connection, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["entity-events", "asset", "asset-999", "--type", "asset_viewed"]
    assert run_command(*arguments, environment=warehouse.environment()) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "raw.events has no event of type asset_viewed of asset asset-999\n")
