"""How many days of a publication were built again for nothing: they come out as they are published, row for row."""

from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import sql

from publishing.marts import Mart
from publishing.replacement import Replacement
from publishing.scopes import Scope
from warehouse.window import Window

# The sensor's runs are no longer. Comparing longer ones would take as long as publishing them.
MOST_DAYS: Final = 31

_CHANGED: Final = sql.SQL(
    "select {date} from (({deleted} except all {inserted}) union all ({inserted} except all {deleted})) as different"
)


def count_unchanged_days(
    cursor: psycopg.Cursor, marts: Sequence[Mart], window: Window, *, is_full_rebuild: bool
) -> int | None:
    """Count the days of the window that were published before and change in no daily mart, before rows are moved.

    Returns None for a window of more than MOST_DAYS, whose days are not compared.
    """
    if (window.end - window.start).days > MOST_DAYS:
        return None
    cursor.execute(
        "select event_date from ops.published_days where event_date >= %s and event_date < %s",
        [window.start, window.end],
    )
    unchanged = {day for (day,) in cursor.fetchall()}
    for mart in marts:
        if not unchanged:
            break
        if mart.is_view or mart.scope is not Scope.DAY:
            continue
        replacement = Replacement(mart, window, is_full_rebuild=is_full_rebuild)
        cursor.execute(
            _CHANGED.format(
                date=sql.Identifier(mart.date_column),
                deleted=replacement.deleted_rows,
                inserted=replacement.inserted_rows,
            )
        )
        unchanged -= {day for (day,) in cursor.fetchall()}
    return len(unchanged)
