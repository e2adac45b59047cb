"""Days are UTC days, whatever time zone the database, the role or the session is set to."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from tests.support.dbt_here import run_dbt
from tests.support.pipeline import Pipeline
from warehouse.connection import Warehouse
from warehouse.window import Window

# In Chile 2026-09-06 begins at 01:00: its midnight does not exist.
ZONE = "America/Santiago"
RANGE = Window(date(2026, 9, 4), date(2026, 9, 9))


@pytest.fixture
def warehouse_elsewhere(warehouse: Warehouse) -> Iterator[Warehouse]:
    """A warehouse whose database and owner are set to another time zone."""
    with psycopg.connect(warehouse.superuser_url(warehouse.database), autocommit=True) as superuser:
        superuser.execute(f"alter database {warehouse.database} set timezone = '{ZONE}'")  # type: ignore[arg-type]
        superuser.execute(f"alter role {warehouse.user} in database {warehouse.database} set timezone = '{ZONE}'")  # type: ignore[arg-type]
    yield warehouse
    with psycopg.connect(warehouse.superuser_url(warehouse.database), autocommit=True) as superuser:
        superuser.execute(f"alter role {warehouse.user} in database {warehouse.database} reset timezone")  # type: ignore[arg-type]


def test_every_connection_of_the_program_is_in_utc(warehouse_elsewhere: Warehouse) -> None:
    with warehouse_elsewhere.connect() as connection:
        assert connection.execute("show timezone").fetchone() == ("UTC",)
    for url in (warehouse_elsewhere.sqlalchemy_url, warehouse_elsewhere.dagster_storage_url):
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as session:
            assert session.execute(sqlalchemy.text("show timezone")).scalar() == "UTC"
        engine.dispose()
    with psycopg.connect(warehouse_elsewhere.url) as connection:
        assert connection.execute("show timezone").fetchone() == (ZONE,), "another zone has to be set"


def test_dbt_connects_in_utc(warehouse_elsewhere: Warehouse) -> None:
    fails_elsewhere = "select 1 / case when current_setting('timezone') = 'UTC' then 1 else 0 end as one"
    run_dbt(warehouse_elsewhere, ["show", "--inline", fails_elsewhere])


@pytest.mark.models("daily_metrics_by_channel", "platform_metrics", "weekly_metrics")
def test_a_range_over_a_missing_local_midnight_is_built_and_published_whole(
    warehouse_elsewhere: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.pipeline.START", RANGE.start)
    pipeline = Pipeline(
        warehouse_elsewhere,
        tmp_path / "landing",
        models=("daily_metrics_by_channel", "platform_metrics", "weekly_metrics"),
    )
    for day in RANGE.days():
        view = {"eventType": "asset_viewed", "actorId": "u", "ipAssetId": "a", "occurredAt": f"{day}T00:30:00Z"}
        pipeline.land(day, [view])
    pipeline.run(RANGE)

    days = [(day,) for day in RANGE.days()]
    assert pipeline.rows("select event_date from ops.built_days where is_complete order by 1") == days
    assert pipeline.rows("select event_date from ops.published_days order by 1") == days
    assert pipeline.rows("select metric_date, views from marts.platform_daily_metrics order by 1") == [
        (day, 1) for day in RANGE.days()
    ]
    assert pipeline.rows("select metric_date, views from marts.weekly_metrics order by 1") == [
        (date(2026, 8, 31), 3),
        (date(2026, 9, 7), 2),
    ]
    for day in RANGE.days():
        pipeline.land(day, [{**view, "occurredAt": f"{day}T23:30:00Z"}], "late.ndjson")
    pipeline.load(RANGE)
    stale = pipeline.rows("select distinct stale_days, oldest_stale_date from marts.data_freshness")
    assert stale == [(5, RANGE.start)]
    pipeline.close()
