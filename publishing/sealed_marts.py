"""Sealed days in builds: facts that dbt models need, and published rows that schema build has to have again.

Schema build loses the rows of sealed days. At the end of a plan rollups are made of what it holds, so that these rows
come back from the published marts until the next run of retention.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

import psycopg
from psycopg import sql

from publishing.marts import Mart
from publishing.retention_bounds import kept_from
from warehouse import retention
from warehouse.single_values import exist
from warehouse.window import monday_of

_PREFIX: Final = "DBT_ENV_CUSTOM_ENV_WAREHOUSE"
_COLUMNS_OF_BOTH: Final = """
select built.attname, format_type(built.atttypid, built.atttypmod)
from pg_attribute as built
inner join pg_attribute as published
    on published.attname = built.attname and published.attrelid = to_regclass(%s)
    and published.attnum > 0 and not published.attisdropped
where built.attrelid = to_regclass(%s) and built.attnum > 0 and not built.attisdropped
order by built.attnum
"""


def dbt_variables(connection: psycopg.Connection | psycopg.Cursor) -> dict[str, str]:
    """Return the facts about sealed days that dbt models need when they are compiled; none where no day is sealed."""
    first_unsealed = retention.sealed_before(connection)
    if first_unsealed is None:
        return {}
    variables = {f"{_PREFIX}_SEALED_BEFORE": first_unsealed.isoformat()}
    if exist(connection, "rollups.cohort_weeks"):
        # The first Monday from which on every row of visitor-days is there.
        first_week = monday_of(retention.visitor_days_from(first_unsealed) + timedelta(days=6))
        variables[f"{_PREFIX}_FIRST_WHOLE_WEEK"] = first_week.isoformat()
    return variables


def restore(cursor: psycopg.Cursor, marts: Iterable[Mart], first_unsealed: date) -> None:
    """Put the published rows of sealed days, weeks and months back into schema build.

    Columns that are published with another type are converted. New ones are null.
    """
    for mart in marts:
        before = kept_from(mart.scope, first_unsealed)
        names = (f"{mart.schema}.{mart.name}", f"build.{mart.name}")
        if mart.is_view or before is None or not exist(cursor, *names):
            continue
        found = cursor.execute(_COLUMNS_OF_BOTH, names).fetchall()
        parts = {
            "built": sql.Identifier("build", mart.name),
            "published": mart.relation,
            "columns": sql.SQL(", ").join(sql.Identifier(name) for name, _ in found),
            "values": sql.SQL(", ").join(
                sql.SQL("cast({} as {})").format(sql.Identifier(name), sql.SQL(data_type)) for name, data_type in found
            ),
            "is_sealed": sql.SQL("{} < {}").format(sql.Identifier(mart.date_column), sql.Literal(before)),
        }
        cursor.execute(sql.SQL("delete from {built} where {is_sealed}").format(**parts))
        cursor.execute(
            sql.SQL("insert into {built} ({columns}) select {values} from {published} where {is_sealed}").format(
                **parts
            )
        )
    cursor.execute("delete from ops.retention_progress where relation like 'build.%'")
