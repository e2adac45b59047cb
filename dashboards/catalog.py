"""Columns of everything that a dashboard may read: marts by their dbt contracts, and the live views of schema marts."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from dashboards.spec import PERIOD, Chart, Dashboard, SpecError
from warehouse.connection import CHECKOUT

Columns = Mapping[str, str]
Catalog = Mapping[str, Columns]

# Folders of dbt models that are published to schema marts; rollups are not.
_FOLDERS: Final = ("core", "dashboards", "dimensions")
# Views over records of publication have no dbt model. A test holds them to what the database has.
LIVE_VIEWS: Final[Catalog] = {
    "data_freshness": {
        "mart": "text",
        "last_published_date": "date",
        "published_at": "timestamp with time zone",
        "run_id": "text",
        "stale_days": "bigint",
        "oldest_stale_date": "date",
        "plan": "text",
        "older_version_days": "datemultirange",
        "mixed_since": "date",
    },
    "stale_days": {
        "metric_date": "date",
        "mart": "text",
        "state": "text",
        "reasons": "text[]",
        "since": "timestamp with time zone",
        "is_published": "boolean",
    },
    "data_quality": {
        "metric_date": "date",
        **dict.fromkeys(("files", "files_waiting", "lines_read", "accepted", "rejected", "duplicates"), "bigint"),
        **dict.fromkeys(("not_tracked", "erased", "late", "quarantined", "fields_dropped"), "bigint"),
        **dict.fromkeys(("placeholder_ids", "hashed_ids"), "bigint"),
        "rejected_by_reason": "jsonb",
        "last_loaded_at": "timestamp with time zone",
    },
    "check_history": {
        "metric_date": "date",
        "check_name": "text",
        "severity": "text",
        "result": "text",
        "since": "timestamp with time zone",
        "last_checked_at": "timestamp with time zone",
        "is_latest": "boolean",
        "run_id": "text",
        "value": "jsonb",
    },
}


def catalog(project: Path = CHECKOUT / "dbt_project") -> Catalog:
    """Return the columns, with their types, of every mart and live view."""
    files = [file for folder in _FOLDERS for file in sorted((project / "models/marts" / folder).glob("_*__models.yml"))]
    models: Iterator[Mapping[str, Any]] = (
        model for file in files for model in yaml.safe_load(file.read_text()).get("models", ())
    )
    marts = {
        str(model["name"]): {str(column["name"]): str(column["data_type"]) for column in model["columns"]}
        for model in models
    }
    return {**marts, **LIVE_VIEWS}


def columns_of(dashboard: Dashboard, mart: str, known: Catalog) -> Columns:
    """Return the columns of a dashboard's dataset: those of the mart, and those that its source adds."""
    source = dashboard.source(mart)
    added = {PERIOD: "text"} if source.each_period else {}
    entries = {source.entries.key: "text", source.entries.value: "bigint"} if source.entries else {}
    return {**known[dashboard.mart_of(mart)], **added, **entries, **dict.fromkeys(source.names, "text")}


def assert_valid(dashboard: Dashboard, known: Catalog) -> None:
    """Raise SpecError for the first mart, column or filter that does not exist or does not reach a chart."""
    for mart in dashboard.marts:
        if mart not in known:
            raise SpecError(f"{dashboard.name}: mart {mart} does not exist; the marts are {', '.join(sorted(known))}")
    _assert_sources(dashboard, known)
    titles = [chart.title for chart in dashboard.charts]
    if repeated := {title for title in titles if titles.count(title) > 1}:
        raise SpecError(f"{dashboard.name}: several charts are called {', '.join(sorted(repeated))}")
    for chart in dashboard.charts:
        columns = columns_of(dashboard, chart.mart, known)
        for column in (*chart.dimensions, *chart.where, *(name for value in chart.values for name in value.columns)):
            if column not in columns:
                raise _unknown(f"{dashboard.name}, chart {chart.title}", chart.mart, column, columns)
    for one in dashboard.filters:
        columns = columns_of(dashboard, one.mart, known)
        if one.column not in columns:
            raise _unknown(f"{dashboard.name}, filter {one.title}", one.mart, one.column, columns)
        if unknown := set(one.without) - set(titles):
            raise SpecError(f"{dashboard.name}, filter {one.title}: no chart is called {', '.join(sorted(unknown))}")
        for chart in dashboard.charts:
            if chart.title not in one.without:
                _assert_reached(dashboard, chart, one.column, known)


def _assert_sources(dashboard: Dashboard, known: Catalog) -> None:
    for dataset, source in dashboard.sources.items():
        if dataset not in dashboard.datasets:
            raise SpecError(f"{dashboard.name}: sources names {dataset}, which no chart and no filter reads")
        mart = dashboard.mart_of(dataset)
        columns = {**known[mart], **({PERIOD: "text"} if source.each_period else {})}
        where = f"{dashboard.name}, source {dataset}"
        if source.entries and source.entries.of not in columns:
            raise _unknown(where, mart, source.entries.of, columns)
        if source.each_period and "metric_date" not in columns:
            raise _unknown(where, mart, "metric_date", columns)
        for name in source.names.values():
            named = known[name.mart or mart]
            for column, its_mart, its_columns in (
                (name.name, name.mart or mart, named),
                *((key, name.mart or mart, named) for key in name.key),
                *((key, mart, columns) for key in (name.id, *name.key)),
            ):
                if column not in its_columns:
                    raise _unknown(where, its_mart, column, its_columns)


def _assert_reached(dashboard: Dashboard, chart: Chart, column: str, known: Catalog) -> None:
    if column not in columns_of(dashboard, chart.mart, known):
        raise SpecError(
            f"{dashboard.name}, chart {chart.title}: {chart.mart} has no column {column}, so a filter would not change"
            f" the chart; add the column in sources, or name the chart in the filter's `without`"
        )


def _unknown(where: str, mart: str, column: str, columns: Columns) -> SpecError:
    return SpecError(f"{where}: {mart} has no column {column}; it has {', '.join(columns)}")
