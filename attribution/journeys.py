"""The journeys that a week is fitted on: paths of channels that ended in a conversion or did not, and how often.

What counts as one, and what is left out, is named in `read`. What is learned of them is in markov.py and shapley.py.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

import psycopg
from psycopg import sql

# What is read of the models, schema and table.
TABLES: Final = (("intermediate", "int_conversion_paths"), ("intermediate", "int_sessions"))

# The day bounds are literals, so that indexes on the days serve.
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
    """A path of at least one channel, oldest first, how it ended, and how many times it was taken."""

    channels: tuple[str, ...]
    is_conversion: bool
    times: int = 1


def read(connection: psycopg.Connection, start: date, end: date) -> list[Journey]:
    """The journeys of the days from start until before end, sorted: none where the tables are not built yet.

    A conversion is one journey: the touches that are credited for it, also those before the start. A conversion
    without a touch has no channel to learn of and is left out. The other sessions of these days make one journey a
    visitor that did not convert; those of a conversion after the end are among them, for until then it did not.
    """
    for table in TABLES:
        row = connection.execute("select to_regclass(%s) is not null", [".".join(table)]).fetchone()
        if not (row and row[0]):
            return []
    query = sql.SQL(_JOURNEYS).format(start=sql.Literal(start), end=sql.Literal(end))
    # Sorted here and not by the server, whose order of texts depends on its collation.
    return sorted(Journey(tuple(channels), *ending) for channels, *ending in connection.execute(query))


def channels_of(journeys: Iterable[Journey]) -> list[str]:
    """Every channel that occurs, sorted."""
    return sorted({channel for journey in journeys for channel in journey.channels})
