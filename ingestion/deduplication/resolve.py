"""The order in which the statements of this package run."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import psycopg

from ingestion import day_partitions
from ingestion.deduplication import apply, candidates, ranking, rate_limit
from warehouse.single_values import value_of


def resolve(
    cursor: psycopg.Cursor,
    *,
    change_id: int,
    replaced: Sequence[int] = (),
    removed_dates: Iterable[date] = (),
    new_load_ids: Sequence[int] = (),
    rows_copied_directly: Mapping[date, int] | None = None,
    dates_over_limit: Iterable[date] | None = None,
) -> None:
    """Deduplicate and rate-limit the candidates, and remove replaced loads.

    Runs in the caller's transaction, which has created the temporary tables by candidates.CREATE, filled candidates,
    and inserted the loads. Updates the counts of every load whose rows move, also of old ones.

    Rows of replaced loads stay where their day is sealed, since its published numbers stay.

    Rows of the loads `new_load_ids` in raw.events have new keys, and are counted in ops.loads; `rows_copied_directly`
    has their number by event day. `removed_dates` are event days of rows that the caller has put into the table removed
    itself. `dates_over_limit` are days on which the rate limit may be exceeded, besides those of
    replaced loads; by default all.
    """
    rows_copied_directly = rows_copied_directly or {}
    replaced_dates = value_of(
        cursor,
        "select coalesce(array_agg(distinct day), '{}') from ops.loads, unnest(event_dates) as day"
        " where load_id = any(%s) and day >= ops.sealed_before()",
        [list(replaced)],
    )
    incoming_dates = value_of(cursor, "select coalesce(array_agg(distinct event_date), '{}') from candidates")
    day_partitions.create(cursor, incoming_dates)
    if dates_over_limit is None:
        dates_over_limit = {*incoming_dates, *rows_copied_directly}
    dates = sorted({*replaced_dates, *removed_dates, *incoming_dates, *rows_copied_directly})
    parameters = {
        "change_id": change_id,
        "replaced": list(replaced),
        "replaced_dates": replaced_dates,
        "new_load_ids": list(new_load_ids),
        "copied_dates": list(rows_copied_directly),
        "copied_rows": list(rows_copied_directly.values()),
        "dates": dates,
        "dates_over_limit": sorted({*replaced_dates, *removed_dates, *dates_over_limit}),
        "limit": rate_limit.EVENTS_PER_MINUTE,
    }

    def run(*statements: str) -> int:
        """Run statements, and return the count of rows that they changed."""
        # A prepared statement is planned without its dates, and reads every day partition.
        return sum(max(0, cursor.execute(statement, parameters, prepare=False).rowcount) for statement in statements)

    # Rows that a load has just written are still in memory.
    run("set local random_page_cost = 1.1")
    if replaced:
        run(*candidates.REMOVE_REPLACED)
    run(*ranking.MARK_DUPLICATES_OF_STORED, *ranking.COLLECT_AFFECTED_KEYS)
    fetched = run(*ranking.FETCH_STORED)
    run(*ranking.RANK_COPIES)
    if parameters["dates_over_limit"] and run(rate_limit.FIND_VISITORS_OVER_LIMIT):
        run(*rate_limit.FIND_MINUTES_OVER_LIMIT)
        fetched += run(*rate_limit.FETCH_STORED)
        run(*rate_limit.LIMIT_EVENTS)
    if fetched:
        run(*apply.DELETE_MOVED)
    run(*apply.INSERT_MOVED, *apply.RECORD_CHANGES)
