"""Journeys: paths of channels, with and without a conversion at their end, and their frequency.

`read` defines a journey. markov.py and shapley.py calculate values from journeys.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import psycopg
from psycopg import sql

from warehouse.window import Window

# The tables that are read, by schema and name.
TABLES: Final = (("intermediate", "int_conversion_paths"), ("intermediate", "int_sessions"))

# The bounds are literals, so that the planner can use the indexes on days.
_JOURNEYS: Final = """
with credited as (
    select conversion_id, session_id, touch_number, channel
    from intermediate.int_conversion_paths
    where conversion_date >= {start} and conversion_date < {end} and session_id is not null
),
journeys as (
    select array_agg(channel order by touch_number) as channels, true as is_conversion
    from credited
    group by conversion_id
    union all
    select array_agg(sessions.channel order by sessions.session_started_at, sessions.session_id), false
    from intermediate.int_sessions as sessions
    where sessions.session_date >= {start} and sessions.session_date < {end}
        and not exists (select from credited where credited.session_id = sessions.session_id)
    group by sessions.visitor_id
)
select channels, is_conversion, count(*) from journeys group by channels, is_conversion
"""


class Journey(NamedTuple):
    """A path of at least one channel, oldest first, its outcome, and its frequency."""

    channels: tuple[str, ...]
    is_conversion: bool
    times: int = 1


def read(connection: psycopg.Connection, window: Window) -> list[Journey]:
    """Return the journeys of the window, sorted; none before the tables are built.

    Each conversion is one journey of its credited touches, including those before the window. A conversion without a
    touch has no channels and is left out. The other sessions of the window form one journey without a conversion for
    each visitor. Sessions of a later conversion are among them, since it had not happened by the end of the window.
    """
    for table in TABLES:
        row = connection.execute("select to_regclass(%s) is not null", [".".join(table)]).fetchone()
        if not (row and row[0]):
            return []
    query = sql.SQL(_JOURNEYS).format(start=sql.Literal(window.start), end=sql.Literal(window.end))
    # Sorted by Python: the order of texts on the server depends on its collation.
    return sorted(Journey(tuple(channels), *ending) for channels, *ending in connection.execute(query))


def channels_of(journeys: Iterable[Journey]) -> list[str]:
    """Return all channels of the journeys, sorted."""
    return sorted({channel for journey in journeys for channel in journey.channels})
