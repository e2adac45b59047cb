"""Every mart says whose its rows are, where it has a column that tells: else portals would not see it at all."""

from collections.abc import Mapping
from typing import Any

import pytest

from publishing import dbt_manifest
from publishing.marts import Mart, marts_of
from warehouse.roles.readers import AUDIENCES, MARTS


def undeclared(mart: Mart) -> set[str]:
    """The audiences of whom the mart has a column, and does not name it in `meta: {portal: ...}`."""
    columns = {column.name for column in mart.columns}
    return {
        audience.name
        for audience in AUDIENCES
        if f"{audience.name}_id" in columns and mart.portals.get(audience.name) != f"{audience.name}_id"
    }


def manifest(**meta: Any) -> Mapping[str, Any]:
    """A manifest with one mart that has both columns."""
    columns = {
        name: {"name": name, "data_type": "text", "constraints": [], "description": ""}
        for name in ("metric_date", "creator_id", "brand_id")
    }
    model = {
        "name": "earnings",
        "resource_type": "model",
        "schema": "build",
        "access": "public",
        "description": "",
        "columns": columns,
        "config": {
            "event_time": "metric_date",
            "materialized": "windowed",
            "meta": {"grain": ["metric_date"], **meta},
        },
    }
    return {"nodes": {"model.earnings": model}}


# What coarser marts are made from is for nobody's eyes: its schema is closed.
PUBLIC = [mart for mart in marts_of(dbt_manifest.manifest()) if mart.schema == MARTS]


@pytest.mark.parametrize("mart", PUBLIC, ids=lambda mart: mart.name)
def test_a_mart_with_creators_or_brands_says_so(mart: Mart) -> None:
    assert undeclared(mart) == set()


@pytest.mark.parametrize(
    ("meta", "missing"),
    [
        ({}, {"creator", "brand"}),
        ({"portal": {"creator": "creator_id"}}, {"brand"}),
        ({"portal": {"creator": "creator_id", "brand": "metric_date"}}, {"brand"}),
        ({"portal": {"creator": "creator_id", "brand": "*"}}, {"brand"}),
        ({"portal": {"creator": "creator_id", "brand": "brand_id"}}, set()),
    ],
)
def test_a_mart_that_does_not_say_so_would_be_found(meta: dict[str, Any], missing: set[str]) -> None:
    (mart,) = marts_of(manifest(**meta))
    assert undeclared(mart) == missing


@pytest.mark.parametrize("portal", [{"creator": "owner_id"}, {"user": "creator_id"}])
def test_a_column_or_an_audience_that_does_not_exist_is_an_error(portal: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"meta\.portal of earnings .* creator or brand"):
        marts_of(manifest(portal=portal))
