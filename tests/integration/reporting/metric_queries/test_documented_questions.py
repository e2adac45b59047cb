"""The examples of docs/reference/metric_queries.md and its notebook, run in their order on the sample quarter."""

import json
import re
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from reporting.metrics import Metrics
from tests.support.random_quarter import LAST
from warehouse.connection import CHECKOUT, Warehouse

pytestmark = pytest.mark.models

PAGE = CHECKOUT / "docs" / "reference" / "metric_queries.md"
NOTEBOOK = CHECKOUT / "docs" / "notebooks" / "metric_queries.ipynb"
# Ids of the page are those of the sample marketplace.
IDS = {"ast_000102": "asset-0", "crt_000017": "creator-0", "brd_000003": "brand-0"}


def examples(language: str) -> list[str]:
    text = PAGE.read_text()
    for of_sample, of_quarter in IDS.items():
        text = text.replace(of_sample, of_quarter)
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_every_query_of_the_page_has_rows(quarter: Warehouse) -> None:
    for_bi, for_owner = [
        [query for block in blocks for query in block.split(";\n") if query.strip()]
        for blocks in (examples("sql")[:-1], examples("sql")[-1:])
    ]
    assert len(for_bi) >= 17
    assert len(for_owner) == 2
    for dsn, queries in ((quarter.bi_dsn, for_bi), (quarter.url, for_owner)):
        with psycopg.connect(dsn) as connection:
            for query in queries:
                assert connection.execute(query).fetchall(), query  # type: ignore[arg-type]


def test_every_function_of_marts_is_on_the_page(quarter: Warehouse) -> None:
    with quarter.connect() as owner:
        rows = owner.execute(
            "select distinct proname from pg_proc where pronamespace = 'marts'::regnamespace"
        ).fetchall()
    assert {name for (name,) in rows} == set(
        re.findall(r"(?:from|select) (?:marts\.)?(\w+)\(", "".join(examples("sql")))
    )


def test_the_python_of_the_page_runs(quarter: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"dsn": quarter.bi_dsn, "creator_portal_dsn": quarter.dsn("creator_portal")}
    for block in examples("python"):
        exec(block, names)  # noqa: S102
    views, why = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d+ \d+", views)
    assert why.startswith("2026-09-28 is not published")
    assert len(names["days"]) == 7


def test_the_notebook_runs_from_its_first_cell_to_its_last(
    quarter: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = json.loads(NOTEBOOK.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    monkeypatch.setenv("DSN", quarter.bi_dsn)
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None), "no numbers of one machine are kept"
            exec("".join(cell["source"]), names)  # noqa: S102
    errors = capsys.readouterr().out.splitlines()
    assert errors[0].startswith(f"{LAST + pd.Timedelta(days=1)} is not published")
    assert errors[1] == 'there is no asset "no such asset"'
    totals = names["totals"]
    assert isinstance(totals, pd.DataFrame)
    with Metrics(quarter.bi_dsn) as metrics:
        assert [metrics.asset_metrics(asset, "30d").totals.total_views for asset in totals.index] == [
            *totals["total_views"]
        ]


def test_the_page_links_the_notebook() -> None:
    links = [PAGE.parent / link for link in re.findall(r"\]\(([^)#]+\.ipynb)\)", PAGE.read_text())]
    assert [Path(link).resolve() for link in links] == [NOTEBOOK]
