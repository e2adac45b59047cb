"""Metric functions over the life of a warehouse: created again, of an older version, published over, tampered with."""

from pathlib import Path

import psycopg
import pytest

from orchestration.cli.provision import prepare
from publishing.metric_functions.schema import FUNCTIONS
from tests.support.pipeline import Pipeline
from tests.support.random_quarter import LAST
from warehouse.connection import Warehouse
from warehouse.window import Window

pytestmark = pytest.mark.models

_DEFINITIONS = """
    select pg_proc.oid::regprocedure::text, prosecdef, provolatile, proconfig, prosrc, obj_description(pg_proc.oid),
        array(select acl::text from unnest(proacl) as acl order by 1)
    from pg_proc where pronamespace in ('marts'::regnamespace, 'access'::regnamespace) order by 1
"""


def definitions(warehouse: Warehouse) -> list[tuple[object, ...]]:
    with warehouse.connect() as owner:
        return owner.execute(_DEFINITIONS).fetchall()


def test_functions_are_the_same_after_a_publication_and_after_provisioning(quarter: Warehouse, tmp_path: Path) -> None:
    before = definitions(quarter)
    assert len(before) >= len(FUNCTIONS)
    pipeline = Pipeline(quarter, tmp_path / "landing", models=["daily_metrics", "daily_metrics_by_channel"])
    pipeline.data_tests = False
    pipeline.run(Window.day(LAST), load=False)
    pipeline.close()
    assert definitions(quarter) == before
    prepare(quarter)
    assert definitions(quarter) == before


def test_every_function_is_stable_has_a_path_of_its_own_and_is_closed_to_public(quarter: Warehouse) -> None:
    for name, _, volatility, settings, *_, rights in definitions(quarter):
        assert volatility == "s", name
        assert isinstance(settings, list), name
        assert any(setting.startswith("search_path=") for setting in settings), name
        assert isinstance(rights, list), name
        assert not any(right.startswith("=") for right in rights), f"{name} is for everybody"


def test_functions_of_an_older_version_or_changed_by_hand_are_replaced(quarter: Warehouse) -> None:
    before = definitions(quarter)
    with quarter.connect(autocommit=True) as owner:
        owner.execute(
            """
            drop function marts.platform_metrics_revenue_timeline(text);
            create function marts.platform_metrics_revenue_timeline(period text) returns table (day date)
                language sql return current_date;
            alter function marts.asset_metrics_totals(text, date, date, boolean) reset all;
            alter function marts.creator_dashboard(text, text) security definer;
            drop function marts.brand_campaigns(text, text);
            """
        )
    assert definitions(quarter) != before
    prepare(quarter)
    assert definitions(quarter) == before
    with psycopg.connect(quarter.bi_dsn) as bi:
        rows = bi.execute("select metric_date from platform_metrics_revenue_timeline('7d')").fetchall()
    assert len(rows) == 7
