"""Published tables that migrate with the contracts of their models."""

from collections.abc import Sequence
from dataclasses import replace

import psycopg
import pytest

from publishing import dbt_manifest
from publishing.builds import IncompleteRebuild, clear
from publishing.marts import Column, Mart, marts_of
from publishing.publish import PublicationRefused
from tests.integration.publishing.one_view import BOTH, DAY, NEXT, publish_as_a_run, view, views_in_marts
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY
from warehouse.writer_lock import writing


def test_the_same_group_is_refused_twice_also_where_its_keys_are_null(published: Pipeline) -> None:
    for schema_name in ("build", "marts"):
        with pytest.raises(psycopg.errors.UniqueViolation):
            published.connection.execute(f"insert into {schema_name}.daily_metrics select * from marts.daily_metrics")


def changed(marts: Sequence[Mart], *columns: Column, without: str = "") -> list[Mart]:
    """The marts, daily_metrics with these further columns and without one of its own."""
    return [
        replace(mart, columns=(*(column for column in mart.columns if column.name != without), *columns))
        if mart.name == "daily_metrics"
        else mart
        for mart in marts
    ]


def test_a_new_column_migrates_by_itself_and_keeps_what_bi_may_do(published: Pipeline) -> None:
    published.connection.execute("alter table build.daily_metrics add column shares bigint default 7")
    table = "select oid from pg_class where oid = 'marts.daily_metrics'::regclass"
    before = published.rows(table)
    shares = Column("shares", "bigint", is_nullable=True, description="Count of shares.")

    publish_as_a_run(published, DAY, marts=changed(marts_of(dbt_manifest.manifest()), shares))

    assert published.rows("select views, shares from marts.daily_metrics") == [(1, 7)]
    assert published.rows(table) == before, "the table is the same, with its grants and policies"
    with psycopg.connect(published.warehouse.bi_dsn) as bi:
        assert bi.execute("select shares from marts.daily_metrics").fetchall() == [(7,)]


def test_a_column_that_is_gone_needs_the_rebuild_job(published: Pipeline) -> None:
    published.land(START + ONE_DAY, [view(START + ONE_DAY, "next")])
    published.run(NEXT)
    fewer = changed(marts_of(dbt_manifest.manifest()), without="clicks")
    with pytest.raises(PublicationRefused, match=r"marts\.daily_metrics .*\['clicks'\].*job \"rebuild\""):
        publish_as_a_run(published, NEXT, marts=fewer)
    assert published.rows("select clicks from marts.daily_metrics") == [(0,), (0,)]

    published.run(BOTH)
    publish_as_a_run(published, BOTH, marts=fewer)
    assert views_in_marts(published) == [(START, 1), (START + ONE_DAY, 1)]
    with pytest.raises(psycopg.errors.UndefinedColumn):
        published.connection.execute("select clicks from marts.daily_metrics")


def test_a_column_of_another_type_is_changed_by_a_rebuild(published: Pipeline) -> None:
    published.connection.execute("alter table build.daily_metrics alter column clicks type numeric(20,0)")
    retyped = changed(
        marts_of(dbt_manifest.manifest()),
        Column("clicks", "numeric(20,0)", is_nullable=False, description=""),
        without="clicks",
    )
    publish_as_a_run(published, DAY, marts=retyped)
    assert published.rows("select pg_typeof(clicks)::text from marts.daily_metrics") == [("numeric",)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        published.connection.execute("insert into marts.daily_metrics select * from marts.daily_metrics")


def test_a_rebuild_of_less_than_all_published_days_drops_nothing(published: Pipeline) -> None:
    tables = dbt_manifest.windowed_tables(dbt_manifest.manifest())
    with published.warehouse.connect(autocommit=True) as lock, writing(lock, "rebuild", log=print):
        with pytest.raises(IncompleteRebuild, match="2026-10-01 to 2026-10-01"):
            clear(published.connection, NEXT, tables, build_id="rebuild")
        assert published.rows("select views from build.daily_metrics") == [(1,)]
        clear(published.connection, BOTH, tables, build_id="rebuild")
    published.is_built = False
    with pytest.raises(psycopg.errors.UndefinedTable):
        published.connection.execute("select views from build.daily_metrics")
    assert views_in_marts(published) == [(START, 1)], "BI reads on"
