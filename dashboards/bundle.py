"""Bundle of all dashboards that Superset imports: a zip of YAML files, which refer to each other by stable uuids."""

import io
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from dashboards import charts, layout
from dashboards.catalog import Catalog, columns_of
from dashboards.queries import dataset_sql, order_of, used_columns
from dashboards.spec import Chart, Dashboard, Kind, SpecError
from dashboards.units import FORMATS, Unit

DATABASE: Final = "Warehouse"
# Any constant will do, as long as it stays: every uuid follows from it and from a name.
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "dashboards.marketplace-warehouse.invalid")
_VERSION: Final = "1.0.0"
_ROOT: Final = "warehouse_dashboards"
# Equal specs make equal bytes.
_MOMENT: Final = (2000, 1, 1, 0, 0, 0)
# The address is put in when a connection is made, by who is signed in; see dashboards/server.
_PLACEHOLDER: Final = "postgresql+psycopg2://bi_reader@127.0.0.1/warehouse"
_TITLES: Final = {
    "metric_date": "Day",
    "utm_source": "Source",
    "ip_asset_id": "Asset",
    "brand_id": "Brand",
    "published_at": "Published at (UTC)",
    "last_published_date": "Last day",
}


def stable_uuid(*names: str) -> str:
    """Return the uuid of the thing with these names, which is equal in every build."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))


def dataset_name(dashboard: Dashboard, mart: str) -> str:
    """Return the name of a dataset. Each dashboard has its own, so that access is given by dashboard."""
    return f"{dashboard.name}: {mart}"


def files(dashboards: Iterable[Dashboard], known: Catalog, *, currency: str = "") -> dict[str, str]:
    """Return the files of the bundle as texts by path."""
    found = {
        "metadata.yaml": {"version": _VERSION, "type": "assets", "timestamp": "2000-01-01T00:00:00+00:00"},
        "databases/warehouse.yaml": _database(),
    }
    for dashboard in dashboards:
        for mart in dashboard.datasets:
            found[f"datasets/{dashboard.name}__{mart}.yaml"] = _dataset(dashboard, mart, known, currency)
        for number, chart in enumerate(dashboard.charts, 1):
            found[f"charts/{dashboard.name}_{number}.yaml"] = _chart(dashboard, chart, known, currency)
        found[f"dashboards/{dashboard.name}.yaml"] = _dashboard(dashboard)
    return {name: yaml.safe_dump(content, sort_keys=False, allow_unicode=True) for name, content in found.items()}


def as_zip(texts: Mapping[str, str]) -> bytes:
    """Return the files as one zip, as Superset's import takes it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(f"{_ROOT}/{name}", _MOMENT), text)
    return content.getvalue()


def _database() -> dict[str, Any]:
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": _PLACEHOLDER,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        # Rows depend on who asks, and so must what is cached.
        "extra": {"per_user_caching": True, "allows_virtual_table_explore": True},
        "uuid": stable_uuid("database"),
        "version": _VERSION,
    }


def _dataset(dashboard: Dashboard, mart: str, known: Catalog, currency: str) -> dict[str, Any]:
    columns = columns_of(dashboard, mart, known)
    return {
        "table_name": dataset_name(dashboard, mart),
        "description": f"marts.{dashboard.mart_of(mart)}, as dashboard {dashboard.title} reads it.",
        "schema": "marts",
        "sql": dataset_sql(dashboard, mart),
        "main_dttm_col": None,
        "offset": 0,
        "filter_select_enabled": True,
        "extra": {"audience": dashboard.audience} if dashboard.audience else {},
        "uuid": stable_uuid("dataset", dashboard.name, mart),
        "database_uuid": stable_uuid("database"),
        "version": _VERSION,
        "columns": [
            {
                "column_name": column,
                "verbose_name": _TITLES.get(column, column.replace("_", " ").capitalize()),
                "type": columns[column].upper(),
                "is_dttm": columns[column].startswith(("date", "timestamp")) and "range" not in columns[column],
                "is_active": True,
                "groupby": True,
                "filterable": True,
            }
            for column in used_columns(dashboard, mart)
        ],
        "metrics": list(_metrics(dashboard, mart, currency).values()),
    }


def _metrics(dashboard: Dashboard, mart: str, currency: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for chart in dashboard.charts:
        if chart.mart != mart:
            continue
        for value in chart.values:
            metric = {
                "metric_name": value.title,
                "verbose_name": charts.heading(value),
                "expression": value.sql,
                "d3format": FORMATS.get(value.unit),
                "currency": (
                    {"symbol": currency, "symbolPosition": "prefix"} if value.unit is Unit.MONEY and currency else None
                ),
            }
            if found.setdefault(value.title, metric) != metric:
                raise SpecError(
                    f"{dashboard.name}, chart {chart.title}: {value.title} of {mart} stands for two numbers; give one"
                    " of them another title"
                )
        order = order_of(chart)
        if chart.kind is Kind.TABLE and order and order[0] in chart.dimensions:
            name = charts.order_metric(order[0])
            found[name] = {"metric_name": name, "verbose_name": name, "expression": f"min({order[0]})"}
    return found


def _chart(dashboard: Dashboard, chart: Chart, known: Catalog, currency: str) -> dict[str, Any]:
    settings = charts.form_data(chart, columns_of(dashboard, chart.mart, known), currency)
    return {
        "slice_name": chart.title,
        "description": chart.note or None,
        "viz_type": charts.viz_type(chart),
        "params": settings,
        "query_context": charts.query_context(chart, settings),
        "cache_timeout": None,
        "is_managed_externally": True,
        "uuid": stable_uuid("chart", dashboard.name, chart.title),
        "dataset_uuid": stable_uuid("dataset", dashboard.name, chart.mart),
        "version": _VERSION,
    }


def _dashboard(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "dashboard_title": dashboard.title,
        "description": dashboard.about,
        "slug": dashboard.name,
        "css": layout.CSS,
        "published": True,
        # Edits in the browser would be lost with the next start, and Superset says so.
        "is_managed_externally": True,
        "uuid": stable_uuid("dashboard", dashboard.name),
        "position": layout.position(dashboard, lambda chart: stable_uuid("chart", dashboard.name, chart.title)),
        "metadata": layout.metadata(
            dashboard,
            lambda mart: stable_uuid("dataset", dashboard.name, mart),
            lambda name: stable_uuid(dashboard.name, name),
        ),
        "version": _VERSION,
    }
