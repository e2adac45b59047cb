"""Charts as SVG inside the page, drawn by pygal.

Colours and fonts are those of the page's own style sheet, so that a chart follows the reader's light or dark theme. The
charts hold no scripts, and their table stands beside them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final
from xml.etree import ElementTree

import pygal
from markupsafe import Markup
from pygal.style import Style

from reporting.pages.numbers import axis_day

Formatter = Callable[[Any], str]

# Less than half of a laptop's page: the texts stay readable on a phone, where the chart fills the width.
_WIDTH: Final = 480
_HEIGHT: Final = 230
_ROW_HEIGHT: Final = 26
_DAYS_BETWEEN_LABELS: Final = 7
_LABEL_LENGTH: Final = 24
# pygal leaves room for texts of this size, which the page's style sheet uses on phones.
_FONT_SIZE: Final = 15
_STYLE: Final = Style(
    **{f"{part}_font_size": _FONT_SIZE for part in ("label", "major_label", "value", "value_label", "legend", "title")}
)
# Children that only its script makes visible.
_OF_SCRIPTS: Final = {"plot tooltip-overlay"}


def by_day(
    title: str,
    days: Sequence[date],
    series: Mapping[str, Sequence[Any]],
    formatter: Formatter,
    *,
    is_filled: bool = False,
) -> Markup | None:
    """Return lines over days; None with fewer than two days. A missing value is a gap."""
    if len(days) < 2:
        return None
    chart = pygal.Line(
        **_options(formatter),
        fill=is_filled,
        dots_size=2,
        show_legend=len(series) > 1,
        height=_HEIGHT,
        x_labels_major_every=_DAYS_BETWEEN_LABELS if len(days) > _DAYS_BETWEEN_LABELS else 1,
        show_minor_x_labels=False,
        show_x_guides=False,
        include_x_axis=True,
        allow_interruptions=True,
    )
    chart.x_labels = [axis_day(day) for day in days]
    for name, values in series.items():
        chart.add(name, [None if value is None else float(value) for value in values])
    return _markup(chart, title, f"{title}: a line chart from {days[0]} to {days[-1]}. The table has its numbers.")


def ranked(title: str, values: Mapping[str, Any], formatter: Formatter) -> Markup | None:
    """Return bars in the order of the values; None where no value is above zero."""
    if not any(values.values()):
        return None
    chart = pygal.HorizontalBar(
        **_options(formatter),
        show_legend=False,
        print_values=True,
        print_values_position="top",
        height=50 + _ROW_HEIGHT * len(values),
        show_y_guides=False,
        show_x_labels=False,
        # Room for the number behind the longest bar.
        range=(0, 1.2 * float(max(values.values()))),
    )
    upwards = list(values.items())[::-1]
    chart.x_labels = [_shortened(name) for name, _ in upwards]
    chart.add(title, [float(value) for _, value in upwards])
    return _markup(chart, title, f"{title}: a bar chart. The table has its numbers.")


def _options(formatter: Formatter) -> dict[str, Any]:
    return {
        "style": _STYLE,
        "css": [],
        "js": [],
        "width": _WIDTH,
        "margin": 6,
        # Half of the last label of an axis.
        "margin_right": 24,
        "spacing": 8,
        "legend_at_bottom": True,
        "legend_box_size": 10,
        "truncate_label": -1,
        "truncate_legend": -1,
        "value_formatter": formatter,
        "max_scale": 6,
        "classes": (),
    }


def _shortened(name: str) -> str:
    return name if len(name) <= _LABEL_LENGTH else f"{name[: _LABEL_LENGTH - 1]}…"


def _markup(chart: Any, title: str, description: str) -> Markup:
    """Return the chart's SVG without what needs a script or names another host. Values become titles of their marks."""
    root = chart.render_tree()
    root.find("title").text = title
    for parent in list(root.iter()):
        for child in list(parent):
            # The tag of a comment is a function.
            if not isinstance(child.tag, str) or child.tag == "defs" or child.get("class") in _OF_SCRIPTS:
                parent.remove(child)
        values = [child.text or "" for child in parent if child.tag == "desc" and child.get("class") == "value"]
        labels = [child.text or "" for child in parent if child.tag == "desc" and child.get("class") == "x_label"]
        for child in [child for child in parent if child.tag == "desc"]:
            parent.remove(child)
        if labels:
            ElementTree.SubElement(parent, "title").text = ": ".join([*labels, *values])
    for name in [name for name in root.attrib if name.startswith("xmlns") or name == "id"]:
        del root.attrib[name]
    root.set("class", "chart")
    root.set("role", "img")
    root.set("aria-label", description)
    # Texts were escaped when they were written as XML.
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704
