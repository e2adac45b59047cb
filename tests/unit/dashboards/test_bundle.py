"""The bundle that Superset imports: equal for equal specs, complete, and with filters that reach every chart."""

import json
import zipfile
from io import BytesIO
from typing import Any

import pytest
import yaml

from dashboards import bundle
from dashboards.catalog import catalog
from dashboards.queries import dashboards as specs
from dashboards.spec import Dashboard, SpecError
from dashboards.units import Unit, written

KNOWN = catalog()
FILES = {name: yaml.safe_load(text) for name, text in bundle.files(specs(KNOWN), KNOWN, currency="EUR").items()}


def of(kind: str) -> list[dict[str, Any]]:
    return [content for name, content in FILES.items() if name.startswith(f"{kind}/")]


def test_equal_specs_make_equal_bytes() -> None:
    first, second = (bundle.as_zip(bundle.files(specs(), KNOWN)) for _ in range(2))

    assert first == second
    assert "warehouse_dashboards/metadata.yaml" in zipfile.ZipFile(BytesIO(first)).namelist()


def test_every_uuid_is_one_things() -> None:
    uuids = [content["uuid"] for name, content in FILES.items() if name != "metadata.yaml"]

    assert len(set(uuids)) == len(uuids)
    assert bundle.stable_uuid("dashboard", "platform") == "3ebf6b6f-4f81-5691-9ff8-3b393534219c"


def test_a_chart_reads_metrics_and_columns_of_its_dataset() -> None:
    datasets = {content["uuid"]: content for content in of("datasets")}
    for chart in of("charts"):
        dataset = datasets[chart["dataset_uuid"]]
        (query,) = json.loads(chart["query_context"])["queries"]
        metrics = {metric["metric_name"] for metric in dataset["metrics"]}
        columns = {column["column_name"] for column in dataset["columns"]}
        assert set(query["metrics"]) <= metrics
        assert {*query["columns"], *(one["col"] for one in query["filters"])} <= columns
        assert {one[0] for one in query["orderby"]} <= metrics | columns


@pytest.mark.parametrize("dashboard", specs(), ids=lambda dashboard: dashboard.name)
def test_a_filter_reaches_every_chart_that_it_does_not_leave_out(dashboard: Dashboard) -> None:
    content = FILES[f"dashboards/{dashboard.name}.yaml"]
    placed = {
        element["meta"]["chartId"]: element["meta"]["sliceName"]
        for element in content["position"].values()
        if isinstance(element, dict) and element["type"] == "CHART"
    }
    assert list(placed.values()) == [chart.title for chart in dashboard.charts]
    for one, filtered in zip(dashboard.filters, content["metadata"]["native_filter_configuration"], strict=True):
        assert {placed[number] for number in filtered["scope"]["excluded"]} == set(one.without)
        assert filtered["targets"][0]["datasetUuid"] in {dataset["uuid"] for dataset in of("datasets")}


@pytest.mark.parametrize("dashboard", specs(), ids=lambda dashboard: dashboard.name)
def test_a_row_fills_the_page(dashboard: Dashboard) -> None:
    position = FILES[f"dashboards/{dashboard.name}.yaml"]["position"]
    rows = [element for element in position.values() if isinstance(element, dict) and element["type"] == "ROW"]

    assert [sum(position[child]["meta"]["width"] for child in row["children"]) for row in rows] == [12] * len(rows)


def test_only_datasets_of_portals_are_marked_for_them() -> None:
    marked = {(content["table_name"].partition(":")[0], content["extra"].get("audience")) for content in of("datasets")}

    assert {pair for pair in marked if pair[1]} == {("creator", "creator"), ("brand", "brand")}


def test_no_file_has_an_address_or_a_password() -> None:
    (database,) = of("databases")

    assert database["sqlalchemy_uri"] == "postgresql+psycopg2://bi_reader@127.0.0.1/warehouse"
    assert database["extra"]["per_user_caching"] is True


def test_one_title_for_two_numbers_of_a_mart_is_refused() -> None:
    spec = specs(KNOWN)[-1]
    charts = [chart.model_copy(update={"title": f"{chart.title} 2"}) for chart in spec.rows[0]]
    changed = charts[0].model_copy(update={"values": (charts[0].values[0].model_copy(update={"sum": "users_new"}),)})
    rows = (*spec.rows, (changed,))

    with pytest.raises(SpecError, match=r"chart Revenue 2: Revenue of platform_metrics stands for two numbers"):
        bundle.files([spec.model_copy(update={"rows": rows})], KNOWN)


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (Unit.COUNT, 1234567, "1,234,567"),
        (Unit.MONEY, 1234.5, "$ 1,234.50"),
        (Unit.PERCENT, 0.1234, "12.34%"),
        (Unit.SECONDS, 42.06, "42.1"),
        (Unit.TIMES, 1.996, "2.00"),
    ],
)
def test_a_number_is_written_in_its_unit(unit: Unit, value: float, text: str) -> None:
    assert written(unit, value, "$") == text
