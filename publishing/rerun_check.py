"""Is incremental the same as a rebuild, here and now? What a rerun has made is held against what is published."""

from datetime import date
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from publishing import dbt_manifest, last_build
from publishing.marts import marts_of
from publishing.replacement import Replacement
from quality_checks.outcome import SAMPLE_ROWS, CheckOutcome, Severity, json_row
from warehouse.window import ONE_DAY, Window


def rerun_is_idempotent(connection: psycopg.Connection, window: Window) -> CheckOutcome:
    """Days that are built again, with nothing changed since in raw, the product's tables and the models, come out as
    they are published, row for row.

    `compared_marts` is 0 when something has changed since, or a day of the run was never published: then there is
    nothing to compare. Otherwise `rows_published` and `rows_built` are those that only one side has, over all published
    tables. Every sample row says of which mart it is, and on which side; bad days are the dates of such rows, or the
    last day of the run for dates outside.
    """
    with connection.cursor() as cursor:
        if not last_build.is_rerun(cursor):
            return _outcome(window, 0, [])
        is_full_rebuild = last_build.is_full_rebuild(cursor, window)
    marts = [mart for mart in marts_of(dbt_manifest.manifest()) if not mart.is_view]
    different: list[dict[str, Any]] = []
    for mart in marts:
        different += _differences(connection, Replacement(mart, window, is_full_rebuild=is_full_rebuild))
    return _outcome(window, len(marts), different)


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


def _outcome(window: Window, compared_marts: int, different: list[dict[str, Any]]) -> CheckOutcome:
    dates: set[date] = {row["metric_date"] for row in different}
    return CheckOutcome(
        name="rerun_is_idempotent",
        passed=not different,
        # What was built passes all gates and is published: that mends what is wrong, and this tells that it was.
        severity=Severity.WARNING,
        observed={
            "compared_marts": compared_marts,
            **{
                f"rows_{side}": sum(row["rows_of_side"] for row in different if row["side"] == side)
                for side in ("published", "built")
            },
        },
        days=tuple(sorted({day if day in window else window.end - ONE_DAY for day in dates})),
        sample=tuple(
            json_row({"mart": row["mart"], "side": row["side"], "rows": row["rows_of_side"], "row": row["shown"]})
            for row in different[:SAMPLE_ROWS]
        ),
    )
