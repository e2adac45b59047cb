"""Charts in Superset's terms: form data by kind of chart, and the query context that the chart API needs."""

import json
from collections.abc import Mapping
from typing import Any, Final

from dashboards.queries import order_of
from dashboards.spec import Chart, Kind, Value
from dashboards.units import FORMATS, SUFFIXES, Unit

DAY_FORMAT: Final = "%d %b %Y"
COLOR_SCHEME: Final = "supersetColors"
_GRAINS: Final = {"day": "P1D", "week": "P1W", "month": "P1M", None: "P1D"}
# ISO weeks begin on Monday, and the name of the grain says so in Postgres.
# Axes without cents that are zero.
_AXIS_FORMATS: Final = {Unit.MONEY: ",.2~f", Unit.NUMBER: ",.1~f"}
_VIZ_TYPES: Final = {
    Kind.NUMBER: "big_number_total",
    Kind.LINE: "echarts_timeseries_line",
    Kind.BAR: "echarts_timeseries_bar",
    Kind.TABLE: "table",
    Kind.HEATMAP: "heatmap_v2",
}


def viz_type(chart: Chart) -> str:
    """Return Superset's name of the kind of chart."""
    return _VIZ_TYPES[chart.kind]


def order_metric(column: str) -> str:
    """Return the name of the metric by which a table is sorted that is sorted by a column."""
    return f"Order by {column}"


def heading(value: Value) -> str:
    """Return the heading of a number, with the unit where the number does not show it."""
    return f"{value.title}, {SUFFIXES[value.unit]}" if value.unit in SUFFIXES else value.title


def _currency(unit: Unit, currency: str) -> dict[str, Any]:
    has_currency = unit is Unit.MONEY and currency
    return {"currency_format": {"symbol": currency, "symbolPosition": "prefix"}} if has_currency else {}


def form_data(chart: Chart, types: Mapping[str, str], currency: str) -> dict[str, Any]:
    """Return the settings of a chart. `types` has the types of its columns by name."""
    common = {
        "viz_type": viz_type(chart),
        "adhoc_filters": [_condition(column, values) for column, values in chart.where.items()],
        "row_limit": chart.limit,
        "color_scheme": COLOR_SCHEME,
        "annotation_layers": [],
        "extra_form_data": {},
    }
    kinds = {
        Kind.NUMBER: _number,
        Kind.LINE: _series,
        Kind.BAR: _series,
        Kind.TABLE: _table,
        Kind.HEATMAP: _heatmap,
    }
    return common | kinds[chart.kind](chart, types, currency)


def _condition(column: str, values: tuple[str, ...]) -> dict[str, Any]:
    return {
        "clause": "WHERE",
        "expressionType": "SIMPLE",
        "subject": column,
        "operator": "IN",
        "operatorId": "IN",
        "comparator": list(values),
    }


def _number(chart: Chart, types: Mapping[str, str], currency: str) -> dict[str, Any]:  # noqa: ARG001
    (value,) = chart.values
    shown = ", ".join(part for part in (SUFFIXES.get(value.unit, ""), chart.note) if part)
    return {
        "metric": value.title,
        "header_font_size": 0.5,
        "subtitle": shown,
        "subtitle_font_size": 0.2,
        "y_axis_format": FORMATS.get(value.unit, ""),
        "time_format": DAY_FORMAT,
        "force_timestamp_formatting": value.unit is Unit.DATE,
        **_currency(value.unit, currency),
    }


def _series(chart: Chart, types: Mapping[str, str], currency: str) -> dict[str, Any]:
    unit = chart.values[0].unit
    is_dated = types.get(chart.x or "") == "date"
    settings: dict[str, Any] = {
        "x_axis": chart.x,
        "time_grain_sqla": _GRAINS[chart.grain],
        "xAxisForceCategorical": not is_dated,
        "metrics": [value.title for value in chart.values],
        "groupby": [chart.by] if chart.by else [],
        "order_desc": True,
        "truncate_metric": True,
        "show_legend": len(chart.values) > 1 or chart.by is not None,
        "legendOrientation": "top",
        "legendType": "scroll",
        "rich_tooltip": True,
        "showTooltipTotal": False,
        "tooltipTimeFormat": DAY_FORMAT,
        "x_axis_time_format": "%b %Y" if chart.grain == "month" else "%d %b",
        "y_axis_format": _AXIS_FORMATS.get(unit, FORMATS[unit]),
        "y_axis_bounds": [0, None],
        "sort_series_type": "sum",
        "sort_series_ascending": False,
        **_currency(unit, currency),
    }
    if not is_dated:
        column, is_descending = order_of(chart) or (chart.x, False)
        settings |= {
            "x_axis_sort": column,
            "x_axis_sort_asc": not is_descending,
        }
        if types.get(chart.x or "") == "text" and not chart.horizontal:
            # Every name is shown, also where they do not fit side by side.
            settings |= {"xAxisLabelInterval": 0, "xAxisLabelRotation": 45}
        if chart.by:
            settings |= {"x_axis_sort_series": "sum", "x_axis_sort_series_ascending": not is_descending}
    if chart.kind is Kind.LINE:
        return settings | {"markerEnabled": True, "markerSize": 4, "seriesType": "line", "opacity": 0.2}
    return settings | {
        "orientation": "horizontal" if chart.horizontal else "vertical",
        "stack": "Stack" if chart.stacked else None,
    }


def _table(chart: Chart, types: Mapping[str, str], currency: str) -> dict[str, Any]:  # noqa: ARG001
    order = order_of(chart)
    column, is_descending = order or (chart.values[0].title, True)
    metrics = [value.title for value in chart.values]
    columns = {
        value.title: {"d3NumberFormat": FORMATS.get(value.unit, ""), "horizontalAlign": "right"}
        | (
            {"currencyFormat": currency_of["currency_format"]}
            if (currency_of := _currency(value.unit, currency))
            else {}
        )
        for value in chart.values
    }
    return {
        "query_mode": "aggregate",
        "groupby": list(chart.columns),
        "metrics": metrics,
        "timeseries_limit_metric": column if column in metrics else order_metric(column),
        "order_desc": is_descending,
        "column_config": columns,
        "table_timestamp_format": DAY_FORMAT,
        "temporal_columns_lookup": {},
        "show_cell_bars": False,
        "color_pn": False,
        "allow_render_html": False,
        "allow_rearrange_columns": False,
        "include_search": False,
        "page_length": 0,
    }


def _heatmap(chart: Chart, types: Mapping[str, str], currency: str) -> dict[str, Any]:  # noqa: ARG001
    (value,) = chart.values
    return {
        "x_axis": chart.x,
        "time_grain_sqla": "P1D",
        "groupby": chart.by,
        "metric": value.title,
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_desc",
        "normalize_across": "heatmap",
        "linear_color_scheme": "blue_white_yellow",
        "xscale_interval": -1,
        "yscale_interval": -1,
        "left_margin": 100,
        "bottom_margin": "auto",
        "value_bounds": [None, None],
        "x_axis_time_format": DAY_FORMAT,
        "y_axis_format": FORMATS[value.unit],
        "show_legend": False,
        "show_percentage": False,
        "show_values": True,
    }


def query_context(chart: Chart, settings: Mapping[str, Any]) -> str:
    """Return the query of a chart for Superset's chart API, which asks for it without a browser."""
    metrics = [value.title for value in chart.values]
    query: dict[str, Any] = {
        "filters": [{"col": column, "op": "IN", "val": list(values)} for column, values in chart.where.items()],
        "extras": {"having": "", "where": ""},
        "columns": list(chart.dimensions),
        "metrics": metrics,
        "row_limit": chart.limit,
        "orderby": [],
        "annotation_layers": [],
        "url_params": {},
        "custom_params": {},
        "custom_form_data": {},
    }
    if order := order_of(chart):
        column, is_descending = order
        query["orderby"] = [[column, not is_descending]]
    context = {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [query],
        "form_data": {**settings, "datasource": "0__table"},
        "result_format": "json",
        "result_type": "full",
    }
    return json.dumps(context, sort_keys=True)
