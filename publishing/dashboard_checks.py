"""Checks of dashboards: the query of every chart runs as BI runs it, and has rows."""

from collections.abc import Iterator
from typing import Final

import psycopg

from dashboards import spec
from dashboards.queries import ChartQuery, queries
from dashboards.spec import Dashboard
from quality_checks.outcome import Finding, Severity, finding_of_run
from quality_checks.registry import check
from warehouse.window import Window

# Of each chart. A query of the sample takes 3 ms (2026-11).
_SECONDS: Final = 30


def _register(dashboard: Dashboard) -> None:
    def rule(connection: psycopg.Connection, window: Window) -> Finding:
        charts = queries([dashboard])
        connection.execute(f"set statement_timeout = '{_SECONDS}s'")
        broken = [{"chart": chart.chart, "problem": problem} for chart, problem in _problems(connection, charts)]
        return finding_of_run({"charts": len(charts), "charts_without_rows": len(broken)}, broken, window)

    rule.__name__ = f"charts_of_{dashboard.exposure}_have_rows"
    rule.__doc__ = (
        f"Every chart of dashboard {dashboard.title} can be read by bi_reader, and has rows before a reader changes a"
        " filter."
    )
    check(f"bi/{dashboard.exposure}", reads=dashboard.marts, severity=Severity.WARNING)(rule)


def _problems(connection: psycopg.Connection, charts: list[ChartQuery]) -> Iterator[tuple[ChartQuery, str]]:
    for chart in charts:
        try:
            with connection.transaction():
                has_rows = connection.execute(chart.sql.encode()).fetchone() is not None
        except psycopg.Error as error:
            yield chart, str(error).partition("\n")[0]
        else:
            if not has_rows and not chart.may_be_empty:
                yield chart, "no rows"


# Their marts are looked up by a test and when they are built, not in every process that knows the checks.
for _path in sorted(spec.FOLDER.glob("*.yml")):
    _register(spec.read(_path))
