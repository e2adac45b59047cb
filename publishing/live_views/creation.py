"""Creation of the live views, of schema marts for BI users and of schema ops for operators.

Views of marts run with the rights of their owner: `bi_reader` reads them without rights on ops or raw. Creators and
brands have no right to read them.
"""

from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg import sql

from publishing import stale_reasons
from publishing.live_views import check_history, check_states, data_freshness, data_quality, day_states, published_loads
from publishing.mart_views import has_query
from warehouse.locks import AdvisoryLock
from warehouse.missing_ddl import set_comments

# By view, its query and its comments: of the view under an empty name, of its columns. A view reads those before it.
VIEWS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "ops.stale_days": (stale_reasons.VIEW, stale_reasons.COMMENTS),
    "ops.published_loads": (published_loads.VIEW, published_loads.COMMENTS),
    "ops.check_states": (check_states.VIEW, check_states.COMMENTS),
    "marts.data_freshness": (data_freshness.VIEW, data_freshness.COMMENTS),
    "marts.stale_days": (day_states.VIEW, day_states.COMMENTS),
    "marts.data_quality": (data_quality.VIEW, data_quality.COMMENTS),
    "marts.check_history": (check_history.VIEW, check_history.COMMENTS),
}


def create(connection: psycopg.Connection) -> None:
    """Create the views that are missing or have another query. Schemas ops and marts and their tables exist."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.FRESHNESS_DDL])
        for name, (query, comments) in VIEWS.items():
            _create_view(cursor, name, query)
            set_comments(cursor, {f"{name}.{column}".rstrip("."): text for column, text in comments.items()})


def _create_view(cursor: psycopg.Cursor, name: str, query: str) -> None:
    if has_query(cursor, name, query, "security_barrier=true"):
        return  # it stays readable
    identifier = sql.Identifier(*name.split("."))
    cursor.execute(sql.SQL("drop view if exists {} cascade").format(identifier))
    cursor.execute(sql.SQL("create view {} with (security_barrier) as {}").format(identifier, sql.SQL(query)))
