"""In which order the statements of this package run."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import psycopg

from ingestion import day_partitions
from ingestion.deduplication import apply, candidates, ranking, rate_limit


def resolve(
    cursor: psycopg.Cursor,
    *,
    change_id: int,
    replaced: Sequence[int] = (),
    fresh: Sequence[int] = (),
    placed: Mapping[date, int] | None = None,
    crowded_dates: Iterable[date] | None = None,
) -> None:
    """Store the candidates in the temporary table contenders where they belong, and take out the replaced loads.

    Everything happens in the caller's transaction, which created the table by contenders.CREATE, filled it, and entered
    the loads in the ledger. Events that it has stored in raw itself are counted in the ledger, belong to `fresh` loads
    and had new keys; `placed` says how many there are by event day. Counts of the ledger, of loads long past too,
    follow the copies that move. No minute outside of `crowded_dates`, and of the days of replaced loads, can be over
    the rate limit; by default any may.
    """
    placed = placed or {}
    cursor.execute(
        "select coalesce(array_agg(distinct day), '{}') from ops.loads, unnest(event_dates) as day"
        " where load_id = any(%s)",
        [list(replaced)],
    )
    (replaced_dates,) = cursor.fetchone() or ([],)
    cursor.execute("select coalesce(array_agg(distinct event_date), '{}') from contenders")
    (incoming_dates,) = cursor.fetchone() or ([],)
    day_partitions.create(cursor, incoming_dates)
    dates = sorted({*replaced_dates, *incoming_dates, *placed})
    parameters = {
        "change_id": change_id,
        "replaced": list(replaced),
        "replaced_dates": replaced_dates,
        "fresh": list(fresh),
        "placed_dates": list(placed),
        "placed_rows": list(placed.values()),
        "dates": dates,
        "crowded_dates": dates if crowded_dates is None else sorted({*replaced_dates, *crowded_dates}),
        "limit": rate_limit.EVENTS_PER_MINUTE,
    }

    def run(*statements: str) -> int:
        """How many rows they touched."""
        # A prepared statement would be planned without its dates and look into every day partition.
        return sum(max(0, cursor.execute(statement, parameters, prepare=False).rowcount) for statement in statements)

    # What a load has just written is still in memory.
    run("set local random_page_cost = 1.1")
    if replaced:
        run(*candidates.REMOVE_REPLACED)
    run(*ranking.YIELD, *ranking.TOUCH_KEYS)
    fetched = run(*ranking.FETCH)
    run(*ranking.JUDGE)
    if parameters["crowded_dates"] and run(rate_limit.FIND_BUSY):
        run(*rate_limit.PREPARE)
        fetched += run(*rate_limit.FETCH)
        run(*rate_limit.JUDGE)
    if fetched:
        run(*apply.MOVE_OUT)
    run(*apply.MOVE_IN, *apply.RECORD_CHANGES)
