"""Records of publications and notifications of them, in the publication's own transaction.

View `marts.data_freshness` reads the records (publishing/live_views), so that it always agrees with the marts.
"""

import json
from collections.abc import Sequence
from typing import Final

import psycopg

from warehouse.roles.readers import MARTS
from warehouse.window import ONE_DAY, Window

# By NOTIFY: {"run_id": ..., "start": day, "end": day after the last, "marts": [names] or null for all of them}.
CHANNEL: Final = "marts_published"
# Postgres refuses 8,000 and more.
_NOTIFICATION_BYTES: Final = 7_900


def record(
    cursor: psycopg.Cursor, marts: Sequence[str], window: Window, *, run_id: str, kept: Sequence[str] = ()
) -> None:
    """Record the publication of these marts and notify listeners, in the publication's transaction.

    `kept` are marts, with or without their schema, that are published and not part of this publication: those of a
    plan, and those without a model that could not be dropped. Their records stay.
    """
    last_day = window.end - ONE_DAY
    present = [*marts, *(name.removeprefix(f"{MARTS}.") for name in kept)]
    cursor.execute("delete from ops.published_marts where not mart = any(%s)", [present])
    cursor.execute(
        """
        insert into ops.published_marts as published (mart, last_published_date, run_id)
        select mart, %(last_day)s, %(run_id)s from unnest(%(marts)s::text[]) as mart
        on conflict (mart) do update
        set last_published_date = greatest(published.last_published_date, excluded.last_published_date),
            run_id = excluded.run_id, published_at = excluded.published_at
        """,
        {"marts": list(marts), "last_day": last_day, "run_id": run_id},
    )
    message = {"run_id": run_id, "start": window.start.isoformat(), "end": window.end.isoformat(), "marts": list(marts)}
    text = json.dumps(message)
    if len(text.encode()) > _NOTIFICATION_BYTES:
        # Null stands for all marts.
        text = json.dumps(message | {"marts": None})
    cursor.execute("select pg_notify(%s, %s)", [CHANNEL, text])
