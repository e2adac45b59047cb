"""SQL of dashboards: the dataset of each mart, and the query of each chart as it stands when a dashboard opens."""

from collections.abc import Iterable
from dataclasses import dataclass

from dashboards.catalog import Catalog, assert_valid, catalog
from dashboards.spec import FOLDER, PERIOD, Chart, Dashboard, Name, read


@dataclass(frozen=True, slots=True)
class ChartQuery:
    """Query of a chart, to be run as bi_reader."""

    dashboard: str
    exposure: str
    chart: str
    sql: str
    # No row of it is good news.
    may_be_empty: bool = False


def dashboards(known: Catalog | None = None) -> list[Dashboard]:
    """Return every dashboard of the repository by name. Raises SpecError for one that cannot be built."""
    known = catalog() if known is None else known
    found = [read(path) for path in sorted(FOLDER.glob("*.yml"))]
    for dashboard in found:
        assert_valid(dashboard, known)
    return found


def queries(specs: Iterable[Dashboard] | None = None) -> list[ChartQuery]:
    """Return the query of every chart, with the choices that the filters have at first."""
    found = dashboards() if specs is None else specs
    return [
        ChartQuery(dashboard.name, dashboard.exposure, chart.title, chart_sql(dashboard, chart), chart.may_be_empty)
        for dashboard in found
        for chart in dashboard.charts
    ]


def used_columns(dashboard: Dashboard, mart: str) -> list[str]:
    """Return the columns of a dataset that charts and filters read, by name."""
    charts = [chart for chart in dashboard.charts if chart.mart == mart]
    columns = {column for chart in charts for column in chart.dimensions}
    columns |= {column for chart in charts for value in chart.values for column in value.columns}
    columns |= {column for chart in charts for column in chart.where}
    left_out = {(title, one.column) for one in dashboard.filters for title in one.without}
    for one in dashboard.filters:
        if one.mart == mart or any((chart.title, one.column) not in left_out for chart in charts):
            columns.add(one.column)
    return sorted(columns)


def dataset_sql(dashboard: Dashboard, mart: str) -> str:
    """Return the query of a dataset: the mart's columns that are used, with periods and names."""
    source = dashboard.source(mart)
    selected, joins = [], []
    for column in used_columns(dashboard, mart):
        if column in source.names:
            selected.append(f"{_name_sql(source.names[column], column)} as {column}")
        elif column == PERIOD and source.each_period:
            selected.append("periods.period")
        elif source.entries and column == source.entries.key:
            selected.append(f"entries.key as {column}")
        elif source.entries and column == source.entries.value:
            selected.append(f"entries.value::bigint as {column}")
        else:
            selected.append(f"mart.{column}")
    if source.each_period:
        bounds = ["mart.metric_date >= coalesce(periods.first_date, mart.metric_date)"]
        bounds += [] if source.later_days else ["mart.metric_date <= periods.last_date"]
        joins.append(f"inner join marts.periods as periods\n    on {' and '.join(bounds)}")
    if source.entries:
        joins.append(f"cross join lateral jsonb_each_text(mart.{source.entries.of}) as entries(key, value)")
    for alias, name in source.names.items():
        if name.mart and alias in used_columns(dashboard, mart):
            joins.append(
                f"left join marts.{name.mart} as {alias}_names\n    on {_join(name, alias, source.each_period)}"
            )
    columns = ",\n    ".join(selected)
    return "\n".join([f"select\n    {columns}\nfrom marts.{dashboard.mart_of(mart)} as mart", *joins])


def _join(name: Name, alias: str, has_periods: bool) -> str:
    pairs = [
        f"{alias}_names.{key} = {'periods' if has_periods and key == PERIOD else 'mart'}.{key}" for key in name.key
    ]
    return " and ".join(pairs)


def _name_sql(name: Name, alias: str) -> str:
    table = f"{alias}_names" if name.mart else "mart"
    otherwise = f", {_literal(name.otherwise)}" if name.otherwise else ""
    return f"coalesce({table}.{name.name} || ' (' || mart.{name.id} || ')', mart.{name.id}{otherwise})"


def order_of(chart: Chart) -> tuple[str, bool] | None:
    """Return the column or value that a chart is sorted by, and whether the largest comes first."""
    if chart.order:
        return chart.order.removeprefix("-"), chart.order.startswith("-")
    return (chart.dimensions[0], False) if chart.dimensions else None


def chart_sql(dashboard: Dashboard, chart: Chart, **chosen: str) -> str:
    """Return the query of a chart. `chosen` has choices of filters by column, beside those at first."""
    values = [f"{value.sql} as {_quoted(value.title)}" for value in chart.values]
    selected = ",\n    ".join([*chart.dimensions, *values])
    inner = dataset_sql(dashboard, chart.mart).replace("\n", "\n    ")
    choices = {
        one.column: one.default
        for one in dashboard.filters
        if one.default and not one.starts_with_first and chart.title not in one.without
    }
    choices |= {
        one.column: chosen[one.column]
        for one in dashboard.filters
        if one.column in chosen and chart.title not in one.without
    }
    conditions = [f"{column} = {_literal(choice)}" for column, choice in choices.items()]
    conditions += [f"{column} in ({', '.join(map(_literal, values))})" for column, values in chart.where.items()]
    parts = [f"select\n    {selected}\nfrom (\n    {inner}\n) as dataset"]
    parts += [f"where {' and '.join(conditions)}"] if conditions else []
    if chart.dimensions:
        parts.append(f"group by {', '.join(chart.dimensions)}")
    if order := order_of(chart):
        column, is_descending = order
        parts.append(f"order by {_quoted(column)}{' desc nulls last' if is_descending else ''}")
    return "\n".join([*parts, f"limit {chart.limit}"])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
