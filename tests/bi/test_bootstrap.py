"""Bootstrap of the dashboard server: again it changes nothing, a changed spec changes its chart, a removed one goes."""

import dataclasses
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dashboards import bundle
from dashboards.catalog import catalog
from dashboards.queries import dashboards as specs
from ingestion.subjects.subject import Subject
from orchestration.cli.dashboard_server import DashboardServer
from orchestration.cli.dashboard_settings import settings_for
from orchestration.instance.dashboard_erasure import erase_from_dashboards, metadata_connection
from orchestration.instance.scrubbing import Mask
from tests.bi.conftest import BRAND, CREATOR, Dashboards, documented_commands, python
from warehouse.connection import CHECKOUT, Warehouse

pytestmark = pytest.mark.bi

THINGS = (
    "select uuid::text, slice_name, params, query_context from slices",
    "select uuid::text, slug, json_metadata, position_json from dashboards",
    "select uuid::text, table_name, sql from tables",
    "select metric_name, expression, table_id from sql_metrics",
    "select column_name, type, table_id from table_columns",
    "select username, active from ab_user",
    "select * from warehouse_logins",
    "select r.name, p.name, v.name from ab_role r join ab_permission_view_role a on a.role_id = r.id"
    " join ab_permission_view pv on pv.id = a.permission_view_id join ab_permission p on p.id = pv.permission_id"
    " join ab_view_menu v on v.id = pv.view_menu_id",
)


@pytest.fixture(scope="module")
def metadata(dashboards: Dashboards, warehouse_of_checkout: Warehouse) -> Iterator[psycopg.Connection]:
    """Superset's own tables."""
    connection = metadata_connection(warehouse_of_checkout, {})
    assert connection is not None
    with connection:
        yield connection


def contents(metadata: psycopg.Connection) -> list[list[tuple[Any, ...]]]:
    return [sorted(metadata.execute(query).fetchall(), key=repr) for query in THINGS]  # type: ignore[call-overload]


def bootstrap(warehouse: Warehouse, folder: Path, texts: dict[str, str] | None = None) -> None:
    """Set up the running server's metadata again, from other files than the repository's where they are given."""
    settings = settings_for(
        warehouse, CHECKOUT / ".warehouse" / "dashboards", os.environ | {"WAREHOUSE_BI_CURRENCY": "USD"}
    )
    server = DashboardServer(folder, python())
    if texts is not None:
        path = folder / "bundle.zip"
        path.write_bytes(bundle.as_zip(texts))
        settings = dataclasses.replace(settings, bundle=str(path))
    server.set_up(settings)


def repository_files() -> dict[str, str]:
    known = catalog()
    return bundle.files(specs(known), known, currency="USD")


def test_a_second_bootstrap_changes_nothing(
    metadata: psycopg.Connection, warehouse_of_checkout: Warehouse, tmp_path: Path
) -> None:
    bootstrap(warehouse_of_checkout, tmp_path)
    before = contents(metadata)

    bootstrap(warehouse_of_checkout, tmp_path)

    assert contents(metadata) == before


def test_a_changed_chart_changes_and_a_removed_one_goes_but_not_those_that_people_made(
    metadata: psycopg.Connection, warehouse_of_checkout: Warehouse, tmp_path: Path
) -> None:
    metadata.execute(
        "insert into slices (slice_name, viz_type, params, uuid)"
        " values ('Of a person', 'table', '{}', gen_random_uuid())"
    )
    texts = repository_files()
    changed = {name: text.replace("Revenue by day", "Revenue, day by day") for name, text in texts.items()}
    platform = [spec for spec in specs() if spec.name != "funnel_and_cohorts"]
    kept = bundle.files(platform, catalog(), currency="USD")
    before = contents(metadata)
    try:
        bootstrap(warehouse_of_checkout, tmp_path, {name: changed[name] for name in kept})

        names = {name for (name,) in metadata.execute("select slice_name from slices")}
        slugs = {slug for (slug,) in metadata.execute("select slug from dashboards")}
        assert "Revenue, day by day" in names
        assert "Revenue by day" not in names
        assert "Visitors who come again" not in names
        assert "Of a person" in names
        assert "funnel_and_cohorts" not in slugs
        assert "platform" in slugs
    finally:
        bootstrap(warehouse_of_checkout, tmp_path)
    # Numbers of rows differ, since what has gone was made anew.
    assert [row[:2] for row in contents(metadata)[1]] == [row[:2] for row in before[1]]
    assert {row[0] for row in contents(metadata)[0]} == {row[0] for row in before[0]}
    metadata.execute("delete from slices where slice_name = 'Of a person'")


def test_an_erased_creator_has_no_login_and_is_named_nowhere(
    dashboards: Dashboards, metadata: psycopg.Connection, warehouse_of_checkout: Warehouse
) -> None:
    dashboards.command("add-login", "leaving", "--creator", "crt_000020")
    planted = "person-0123456789"
    # Whatever Superset might keep of a person's page: a saved query, a link to a state.
    metadata.execute("insert into saved_query (sql, label) values (%s, 'mine')", [f"select '{planted}'"])
    metadata.execute(
        "insert into key_value (resource, value, uuid) values ('superset_app', %s, gen_random_uuid())",
        [f'{{"filter": "{planted}"}}'.encode()],
    )
    cache = CHECKOUT / ".warehouse" / "dashboards" / "cache" / "data"
    assert any(cache.iterdir())
    nobody: dict[str, tuple[str, ...]] = {field.name: () for field in dataclasses.fields(Subject)}
    subject = Subject(**nobody | {"persons": (planted,), "creators": ("crt_000020",)})

    erase_from_dashboards(warehouse_of_checkout, Mask(subject), subject.creators, log=print)

    # Before the next process opens the caches.
    assert not any(file.is_file() for file in cache.iterdir())
    assert dashboards.logins() == {
        "admin": "team",
        "ana": "team",
        "lumen": f"brand\t{BRAND}",
        "studio-17": f"creator\t{CREATOR}",
    }
    for (table,) in metadata.execute(
        "select quote_ident(table_name) from information_schema.tables"
        " where table_schema = 'public' and table_type = 'BASE TABLE'"
    ).fetchall():
        text = metadata.execute(f"select coalesce(string_agg(t::text, ' '), '') from {table} as t").fetchone()  # type: ignore[call-overload]
        assert text is not None
        for secret in (planted, planted.encode().hex(), "crt_000020", "leaving"):
            assert secret not in text[0], table


def test_the_other_documented_commands_work(dashboards: Dashboards, tmp_path: Path) -> None:
    others = [command for command in documented_commands() if command[0] != "add-login"]
    assert sorted(command[0] for command in others) == ["bundle", "list-logins", "remove-login"]
    for command in others:
        if command[0] == "bundle":
            dashboards.command("bundle", str(tmp_path / command[1]))
            assert zipfile.is_zipfile(tmp_path / command[1])
        elif command[0] == "remove-login":
            dashboards.command(*command)
            assert command[1] not in dashboards.logins()
