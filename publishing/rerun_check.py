"""Check that a rerun is idempotent: the rows that it built are compared with the published ones."""

from datetime import date
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from publishing import applied_models, builds, dbt_manifest
from publishing.marts import marts_of
from publishing.publish import Replacement
from quality_checks.outcome import Finding, Severity, finding
from quality_checks.registry import check
from warehouse.window import ONE_DAY, Window


@check("build/published_days", severity=Severity.WARNING)
def rerun_is_idempotent(connection: psycopg.Connection, window: Window) -> Finding:
    """Days that are built again come out as they are published, row for row, when nothing has changed since.

    `compared_marts` is 0 when raw, the product's tables or the models have changed, or a day of the run was never
    published. Otherwise `rows_published` and `rows_built` count the rows that only one side has, over all published
    tables. A sample row has its mart and its side. Bad days are the dates of such rows, or the last day of the run for
    dates outside it. A warning, because a window that passes all gates is published and corrects the difference.
    """
    with connection.cursor() as cursor:
        if not builds.is_rerun(cursor):
            return _finding(window, 0, [])
        is_full_rebuild = builds.is_full_rebuild(cursor, window)
        # Their published rows are of another version.
        withheld = applied_models.withheld(cursor, window)
    marts = [mart for mart in marts_of(dbt_manifest.manifest()) if not mart.is_view and mart.name not in withheld]
    different: list[dict[str, Any]] = []
    for mart in marts:
        different += _differences(connection, Replacement(mart, window, is_full_rebuild=is_full_rebuild))
    return _finding(window, len(marts), different)


# Counted by date, with one row of each to show.
_DIFFERENT: Final = """
with
different as (
    select 'published' as side, rows.{date} as metric_date, to_jsonb(rows) as shown
    from ({deleted} except all {inserted}) as rows
    union all
    select 'built', rows.{date}, to_jsonb(rows)
    from ({inserted} except all {deleted}) as rows
)
select metric_date, side, count(*) as rows_of_side, min(shown::text)::jsonb as shown
from different
group by metric_date, side
order by metric_date, side
"""


def _differences(connection: psycopg.Connection, replacement: Replacement) -> list[dict[str, Any]]:
    mart = replacement.mart
    query = sql.SQL(_DIFFERENT).format(
        deleted=replacement.deleted_rows,
        inserted=replacement.inserted_rows,
        date=sql.Identifier(mart.date_column),
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        return [{"mart": mart.name, **row} for row in cursor.execute(query).fetchall()]


def _finding(window: Window, compared_marts: int, different: list[dict[str, Any]]) -> Finding:
    dates: set[date] = {row["metric_date"] for row in different}
    rows = {
        f"rows_{side}": sum(row["rows_of_side"] for row in different if row["side"] == side)
        for side in ("published", "built")
    }
    return finding(
        {"compared_marts": compared_marts, **rows},
        [
            {"mart": row["mart"], "side": row["side"], "rows": row["rows_of_side"], "row": row["shown"]}
            for row in different
        ],
        (day if day in window else window.end - ONE_DAY for day in dates),
    )
