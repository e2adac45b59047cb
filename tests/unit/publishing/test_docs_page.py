"""The page that `make docs` writes: its first page, the places of marts, the types of columns."""

import json
import re
from typing import Any

import pytest

from publishing import docs_page
from publishing.dbt_manifest import manifest
from publishing.marts import marts_of


@pytest.fixture(scope="module")
def html() -> str:
    return docs_page.page(manifest())


@pytest.fixture(scope="module")
def documents(html: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest and the catalog that the page holds."""
    decoder = json.JSONDecoder()
    starts = [found.start() for found in re.finditer(r'\{"metadata": \{"dbt_schema_version"', html)]
    shown, catalog = (decoder.raw_decode(html, start)[0] for start in starts)
    return shown, catalog


def test_the_first_page_lists_every_mart_that_bi_reads(documents: tuple[dict[str, Any], dict[str, Any]]) -> None:
    shown, _ = documents
    overview = shown["docs"]["doc.marketplace.__overview__"]["block_contents"]
    assert "Read schema **`marts`**" in overview
    for mart in marts_of(manifest()):
        listed = f"[{mart.name}](#!/model/model.marketplace.{mart.name})" in overview
        assert listed == (mart.schema == "marts"), mart.name


def test_a_mart_is_shown_where_it_is_read_with_the_type_of_every_column(
    documents: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    shown, catalog = documents
    for mart in marts_of(manifest()):
        unique_id = f"model.marketplace.{mart.name}"
        assert shown["nodes"][unique_id]["schema"] == mart.schema
        columns = catalog["nodes"][unique_id]["columns"]
        assert {name: column["type"] for name, column in columns.items()} == {
            column.name: column.data_type for column in mart.columns
        }
    assert "Read it as `marts.daily_metrics`." in shown["nodes"]["model.marketplace.daily_metrics"]["description"]


def test_the_page_loads_nothing_from_elsewhere(html: str) -> None:
    assert re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?(?:https?:)?//[^\"' >]+", html) == []
    assert "INLINE DATA" not in html
