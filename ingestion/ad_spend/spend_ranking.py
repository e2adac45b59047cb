"""Ranking of ad spend rows: those of the file with the greater name stand, all rows of a key in it together.

A key is a day and the normal forms of the names that money was spent on. Days are settled whole: all that is known of a
touched day is taken up, ranked anew, and put back. So the outcome depends on the files and not on their order.
"""

from typing import Final

import psycopg

from ingestion.ad_spend.schema import COLUMN_NAMES, KEY_COLUMN_NAMES

_COLUMNS: Final = ", ".join(COLUMN_NAMES)
_KEY: Final = ", ".join(KEY_COLUMN_NAMES)
_SUMS: Final = f"{_KEY}, sum(cost_cents) as cost_cents, sum(impressions) as impressions, sum(clicks) as clicks"
CREATE_INCOMING: Final = "create temporary table incoming (like raw.duplicate_ad_spend) on commit drop"

_SETTLE: Final = (
    """
    create temporary table touched on commit drop as
    select spend_date from incoming
    union
    select spend_date from raw.ad_spend where load_id = any(%(replaced)s) or %(is_whole)s
    union
    select spend_date from raw.duplicate_ad_spend where load_id = any(%(replaced)s) or %(is_whole)s
    """,
    f"""
    create temporary table before on commit drop as
    select {_SUMS} from raw.ad_spend where spend_date in (select spend_date from touched) group by {_KEY}
    """,
    f"""
    with taken as (
        delete from raw.ad_spend where spend_date in (select spend_date from touched) returning *
    ),
    taken_duplicates as (
        delete from raw.duplicate_ad_spend where spend_date in (select spend_date from touched) returning *
    )
    insert into incoming ({_COLUMNS}, load_id, line_number)
    select {_COLUMNS}, load_id, line_number from (
        select {_COLUMNS}, load_id, line_number from taken
        union all
        select {_COLUMNS}, load_id, line_number from taken_duplicates
    ) as known
    where load_id <> all(%(replaced)s)
    """,
    f"""
    create temporary table ranked on commit drop as
    select incoming.*,
        -- Bytes and not a language decide which name is greater.
        rank() over (partition by {_KEY} order by loads.file collate "C" desc) as place
    from incoming inner join ops.ad_spend_loads as loads using (load_id)
    """,
    f"""
    insert into raw.ad_spend ({_COLUMNS}, load_id, line_number)
    select {_COLUMNS}, load_id, line_number from ranked where place = 1
    """,
    f"""
    insert into raw.duplicate_ad_spend ({_COLUMNS}, load_id, line_number)
    select {_COLUMNS}, load_id, line_number from ranked where place > 1
    """,
    # Of every load of these days, also of one long past: what has changed is which of its rows stand.
    """
    update ops.ad_spend_loads as loads
    set accepted = counted.accepted, duplicates = counted.duplicates
    from (
        select load_id, count(*) filter (where stands) as accepted, count(*) filter (where not stands) as duplicates
        from (
            select load_id, true as stands from raw.ad_spend
            union all
            select load_id, false from raw.duplicate_ad_spend
        ) as known
        group by load_id
    ) as counted
    where counted.load_id = loads.load_id and loads.load_id in (select load_id from ranked)
    """,
    "delete from raw.rejected_ad_spend where load_id = any(%(replaced)s)",
    f"""
    insert into ops.stale_day_marks (event_date, layer, reason, change_id)
    with after as (
        select {_SUMS} from ranked where place = 1 group by {_KEY}
    )
    select distinct changed.spend_date, 'ad_spend', 'ad_spend_changed', %(change_id)s::bigint
    from (
        (table before except table after)
        union all
        (table after except table before)
    ) as changed
    inner join ops.built_days as built on built.event_date = changed.spend_date
    on conflict (event_date, layer, reason) do update
    set change_id = excluded.change_id, recorded_at = excluded.recorded_at
    """,
)


def settle(cursor: psycopg.Cursor, *, replaced: list[int], change_id: int | None, is_whole: bool = False) -> None:
    """Take up what stands in the temporary table `incoming`, drop the rows of replaced loads, and rank the rest anew.

    Args:
        cursor: In the transaction in which CREATE_INCOMING was executed.
        replaced: Loads whose files have a newer version.
        change_id: The change that days made stale are recorded with.
        is_whole: Whether every day is settled, and not only those that are touched.
    """
    for statement in _SETTLE:
        cursor.execute(statement, {"replaced": replaced, "change_id": change_id, "is_whole": is_whole})


def next_change_id(cursor: psycopg.Cursor) -> int:
    """Return the number of a new change of raw."""
    (change_id,) = cursor.execute("select nextval('ops.change_id_seq')").fetchone() or (0,)
    return int(change_id)
