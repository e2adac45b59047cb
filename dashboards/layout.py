"""Layout of a dashboard in Superset's terms: rows of charts below a text, and filters that reach the charts."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from dashboards.spec import GRID_COLUMNS, Chart, Dashboard, Filter, Kind

# Units of 8 pixels. A page of 1440 by 900 shows the headline numbers and the first row of charts.
_HEIGHTS: Final = {Kind.NUMBER: 18, Kind.LINE: 38, Kind.BAR: 38, Kind.TABLE: 44, Kind.HEATMAP: 50}
_ABOUT_HEIGHT: Final = 9
# A thing has one colour on every dashboard.
LABEL_COLORS: Final = {
    "Views": "#1FA8C9",
    "Impressions": "#1FA8C9",
    "Clicks": "#454E7C",
    "Conversions": "#FF7F44",
    "Credited conversions": "#FF7F44",
    "Revenue": "#5AC189",
    "Credited revenue": "#5AC189",
    "Spend": "#E04355",
    "Ad spend": "#E04355",
    "Accepted": "#5AC189",
    "Rejected": "#E04355",
    "Rejected lines": "#E04355",
    "Late": "#FCC700",
    "Duplicates": "#A1A6BD",
    "Not tracked": "#666666",
    "Direct": "#666666",
    "Organic Search": "#5AC189",
    "Paid Search": "#1FA8C9",
    "Organic Social": "#A868B7",
    "Paid Social": "#D3B3DA",
    "Email": "#FCC700",
    "Referral": "#454E7C",
    "Display": "#FF7F44",
    "Unassigned": "#B2B2B2",
    "Unattributed": "#D1C6BC",
    "first_touch": "#1FA8C9",
    "last_touch": "#454E7C",
    "last_non_direct": "#5AC189",
    "linear": "#FF7F44",
    "position_based": "#A868B7",
    "time_decay": "#FCC700",
    "markov": "#E04355",
    "shapley": "#3CCCCB",
}
# The colours of the scheme. Without them the page would write them into the dashboard, which portals may not.
_SCHEME: Final = [
    "#1FA8C9",
    "#454E7C",
    "#5AC189",
    "#FF7F44",
    "#666666",
    "#E04355",
    "#FCC700",
    "#A868B7",
    "#3CCCCB",
    "#A38F79",
    "#8FD3E4",
    "#A1A6BD",
    "#ACE1C4",
    "#FEC0A1",
    "#B2B2B2",
    "#EFA1AA",
    "#FDE380",
    "#D3B3DA",
    "#9EE5E5",
    "#D1C6BC",
]
# Headline numbers stand in narrow tiles, whose titles would take two lines.
CSS: Final = """
.dashboard .header-title { font-size: 14px; }
.dashboard .chart-header, .dashboard .slice-header { margin-bottom: 4px; }
.dashboard .superset-legacy-chart-big-number .header-line { font-weight: 600; }
"""


def widths(row: tuple[Chart, ...]) -> list[int]:
    """Return the widths of the charts of a row, in twelfths; those without one share what is left."""
    given = sum(chart.width or 0 for chart in row)
    open_ones = sum(chart.width is None for chart in row)
    return [chart.width or (GRID_COLUMNS - given) // open_ones for chart in row]


def position(dashboard: Dashboard, uuid_of: Callable[[Chart], str]) -> dict[str, Any]:
    """Return where everything stands. Charts are numbered from 1; the import puts its own numbers in their place."""
    rows = {f"ROW-{number}": row for number, row in enumerate(dashboard.rows, 1)}
    numbers = {chart.title: number for number, chart in enumerate(dashboard.charts, 1)}
    found: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": _element("GRID", "GRID_ID", ["ROW-0", *rows], ["ROOT_ID"]),
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard.title}},
        "ROW-0": _element("ROW", "ROW-0", ["MARKDOWN-0"], ["ROOT_ID", "GRID_ID"], _ROW_STYLE),
        "MARKDOWN-0": _element(
            "MARKDOWN",
            "MARKDOWN-0",
            [],
            ["ROOT_ID", "GRID_ID", "ROW-0"],
            {"code": dashboard.about, "width": GRID_COLUMNS, "height": _ABOUT_HEIGHT},
        ),
    }
    for row_id, row in rows.items():
        ids = [f"CHART-{numbers[chart.title]}" for chart in row]
        found[row_id] = _element("ROW", row_id, ids, ["ROOT_ID", "GRID_ID"], _ROW_STYLE)
        height = max(_HEIGHTS[chart.kind] for chart in row)
        for chart_id, chart, width in zip(ids, row, widths(row), strict=True):
            meta = {
                "chartId": numbers[chart.title],
                "uuid": uuid_of(chart),
                "sliceName": chart.title,
                "width": width,
                "height": height,
            }
            found[chart_id] = _element("CHART", chart_id, [], ["ROOT_ID", "GRID_ID", row_id], meta)
    return found


_ROW_STYLE: Final = {"background": "BACKGROUND_TRANSPARENT"}


def _element(
    kind: str, element_id: str, children: list[str], parents: list[str], meta: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {"type": kind, "id": element_id, "children": children, "parents": parents, "meta": dict(meta or {})}


def metadata(dashboard: Dashboard, dataset_uuid: Callable[[str], str], uuid_of: Callable[[str], str]) -> dict[str, Any]:
    """Return the settings of a dashboard: its filters, and the colours of labels."""
    return {
        "native_filter_configuration": [_filter(dashboard, one, dataset_uuid, uuid_of) for one in dashboard.filters],
        "filter_bar_orientation": "HORIZONTAL",
        "cross_filters_enabled": False,
        "color_scheme": "supersetColors",
        "color_scheme_domain": _SCHEME,
        "label_colors": LABEL_COLORS,
        "shared_label_colors": [],
        "map_label_colors": {},
        "timed_refresh_immune_slices": [],
        "expanded_slices": {},
        "refresh_frequency": 0,
        "default_filters": "{}",
        "chart_configuration": {},
        "global_chart_configuration": {"scope": {"rootPath": ["ROOT_ID"], "excluded": []}, "chartsInScope": []},
    }


def _filter(
    dashboard: Dashboard, one: Filter, dataset_uuid: Callable[[str], str], uuid_of: Callable[[str], str]
) -> dict[str, Any]:
    is_fixed = one.default is not None and not one.starts_with_first
    chosen = [one.default] if is_fixed else None
    extra = {"filters": [{"col": one.column, "op": "IN", "val": chosen}]} if chosen else {}
    numbered = enumerate(dashboard.charts, 1)
    return {
        "id": f"NATIVE_FILTER-{uuid_of(f'filter {one.title}')}",
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        # Charts wait for the first choice instead of showing everything for a moment.
        "requiredFirst": one.starts_with_first,
        "name": one.title,
        "description": "",
        "targets": [{"datasetUuid": dataset_uuid(one.mart), "column": {"name": one.column}}],
        "controlValues": {
            "enableEmptyFilter": one.default is not None,
            "defaultToFirstItem": one.starts_with_first,
            "multiSelect": one.several,
            "searchAllOptions": True,
            "inverseSelection": False,
            "sortAscending": True,
        },
        "defaultDataMask": {"extraFormData": extra, "filterState": {"value": chosen} if chosen else {}},
        "cascadeParentIds": [],
        "scope": {
            "rootPath": ["ROOT_ID"],
            "excluded": [number for number, chart in numbered if chart.title in one.without],
        },
    }
