"""Relations that older versions made under another name."""

from datetime import date
from typing import Any

import psycopg
import pytest

from orchestration.cli.provision import prepare
from publishing import renamed_relations
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

pytestmark = [pytest.mark.models, pytest.mark.slow]


def view(day: date, number: int) -> dict[str, Any]:
    return {
        "eventType": "asset_viewed",
        "occurredAt": f"{day}T12:{number:02}:00Z",
        "anonymousId": f"device {number}",
        "ipAssetId": "an asset",
    }


def make_old(connection: psycopg.Connection) -> None:
    """Give everything its old name, as the last version before the renaming left it."""
    for old, new in renamed_relations.TABLES.items():
        for schema in ("build", "rollups"):
            indexes = connection.execute(
                "select indexname from pg_indexes where schemaname = %s and tablename = %s", [schema, new]
            ).fetchall()
            connection.execute(f"alter table {schema}.{new} rename to {old}")  # type: ignore[arg-type]
            for (index,) in indexes:
                connection.execute(f"alter index {schema}.{index} rename to {index.replace(new, old, 1)}")  # type: ignore[arg-type]
    for (schema, table), columns in renamed_relations.COLUMNS.items():
        for old, new in columns.items():
            connection.execute(f"alter table {schema}.{table} rename column {new} to {old}")  # type: ignore[arg-type]
    for (schema, old), new in renamed_relations.INDEXES.items():
        connection.execute(f"alter index {schema}.{new} rename to {old}")  # type: ignore[arg-type]
    connection.execute("alter schema rollups rename to published")
    for name in renamed_relations.DROPPED_VIEWS:
        connection.execute(f"create view intermediate.{name} as select 1 as number")  # type: ignore[arg-type]
    connection.execute("create view intermediate.reads_a_dropped_view as select * from intermediate.int_users_latest")


def names(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    """Return every schema, relation and column of the warehouse that models and publication make."""
    return pipeline.rows(
        "select relnamespace::regnamespace::text, relname, relkind::text, attname from pg_class"
        " inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped"
        " where relnamespace::regnamespace::text in ('intermediate', 'build', 'published', 'rollups', 'marts')"
        " order by 1, 2, 4"
    )


def test_an_older_warehouse_gets_the_present_names_and_keeps_its_rows(pipeline: Pipeline) -> None:
    pipeline.land(START, [view(START, number) for number in range(3)])
    pipeline.run(Window.day(START))
    expected, contents = names(pipeline), pipeline.contents()
    assert contents["rollups.visitor_lifespans"] != []
    make_old(pipeline.connection)
    assert names(pipeline) != expected

    prepare(pipeline.warehouse)
    prepare(pipeline.warehouse)

    assert names(pipeline) == expected
    assert pipeline.contents() == contents
    pipeline.land(START, [view(START, number) for number in range(3, 5)], "part-1.ndjson")
    pipeline.run(Window.day(START))
    assert pipeline.rows("select count(*) from rollups.visitor_lifespans") == [(5,)]


def test_a_reader_asks_on_while_columns_are_renamed(pipeline: Pipeline) -> None:
    pipeline.connection.execute("alter table marts.asset_top_referrers rename column rank to place")
    with psycopg.connect(pipeline.warehouse.bi_dsn) as bi:
        assert bi.execute("select place from marts.asset_top_referrers").fetchall() == []
        bi.commit()
        prepare(pipeline.warehouse)
        assert bi.execute("select rank from marts.asset_top_referrers").fetchall() == []


@pytest.mark.parametrize("schema", ["build", "rollups"])
def test_a_table_under_both_names_is_left_alone(pipeline: Pipeline, schema: str) -> None:
    """Publication drops a table of a model that is gone; provisioning loses nothing."""
    pipeline.connection.execute(f"create table {schema}.visitor_days (number integer)")  # type: ignore[arg-type]
    prepare(pipeline.warehouse)
    assert pipeline.rows("select to_regclass(%s)::text", f"{schema}.visitor_days") == [(f"{schema}.visitor_days",)]
