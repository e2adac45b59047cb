"""Ranking of ad spend rows by file: of each key, all rows of the file with the greatest name are stored.

A key is a day and the normal forms of the names that money was spent on. All known rows of a changed day are deleted,
ranked and inserted again. So the result depends on the files and not on the order of their loads.
"""

from typing import Final

import psycopg

from ingestion.ad_spend.schema import COLUMN_NAMES, KEY_COLUMN_NAMES

_COLUMNS: Final = ", ".join(COLUMN_NAMES)
_KEY: Final = ", ".join(KEY_COLUMN_NAMES)
_SUMS: Final = f"{_KEY}, sum(cost_cents) as cost_cents, sum(impressions) as impressions, sum(clicks) as clicks"
CREATE_INCOMING: Final = "create temporary table incoming (like raw.duplicate_ad_spend) on commit drop"

_RANK_DAYS: Final = (
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
    *(
        f"""
        with taken as (
            delete from {table} where spend_date in (select spend_date from touched) returning *
        )
        insert into incoming ({_COLUMNS}, load_id, line_number)
        select {_COLUMNS}, load_id, line_number from taken where load_id <> all(%(replaced)s)
        """
        for table in ("raw.ad_spend", "raw.duplicate_ad_spend")
    ),
    f"""
    create temporary table ranked on commit drop as
    select incoming.*,
        -- Names are compared by their bytes, whatever the language of the database.
        rank() over (partition by {_KEY} order by loads.file collate "C" desc) as file_rank
    from incoming inner join ops.ad_spend_loads as loads using (load_id)
    """,
    *(
        f"""
        insert into {table} ({_COLUMNS}, load_id, line_number)
        select {_COLUMNS}, load_id, line_number from ranked where {ranks}
        """
        for table, ranks in (("raw.ad_spend", "file_rank = 1"), ("raw.duplicate_ad_spend", "file_rank > 1"))
    ),
    # Earlier loads of these days are counted again too: their rows may have become duplicates or accepted ones.
    """
    update ops.ad_spend_loads as loads
    set accepted = counted.accepted, duplicates = counted.duplicates
    from (
        select
            load_id,
            count(*) filter (where is_accepted) as accepted,
            count(*) filter (where not is_accepted) as duplicates
        from (
            select load_id, true as is_accepted from raw.ad_spend
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
        select {_SUMS} from ranked where file_rank = 1 group by {_KEY}
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


def rank_days(cursor: psycopg.Cursor, *, replaced: list[int], change_id: int | None, is_whole: bool = False) -> None:
    """Rank the rows of the temporary table `incoming` with the stored rows of their days, and store the result.

    `replaced` are loads whose files have a newer version; their rows are deleted. With `is_whole` every day is ranked,
    not only the changed ones.
    """
    for statement in _RANK_DAYS:
        cursor.execute(statement, {"replaced": replaced, "change_id": change_id, "is_whole": is_whole})
