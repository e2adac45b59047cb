"""Terms: from when to when a share of an asset is owned, or a license for it holds. Numbers of a day depend on the
terms of that day, also where a term becomes known, or another one, long after it.
"""

from typing import Final

import psycopg
from psycopg import sql

# The tables of rows with a term, and what each row says beside it: whose numbers its days are part of.
_HOLDERS: Final = {"ip_ownerships": ("creator_id",), "licenses": ("brand_id", "project_id")}


def record_changed_terms(cursor: psycopg.Cursor, change_id: int) -> int:
    """Note the assets that a change of terms touches, with the days on which it does. To be called before the versions
    are appended. Returns the number of notes."""
    return sum(
        cursor.execute(
            _RECORD.format(
                raw=sql.Identifier("raw", table),
                delta=sql.Identifier("pg_temp", f"delta_{table}"),
                holders=sql.SQL(", ").join(map(sql.Identifier, holders)),
            ),
            [change_id],
        ).rowcount
        for table, holders in _HOLDERS.items()
    )


# A row that names another asset or holder than before is the end of one term and the beginning of another one. Of one
# that names the same, the days are touched that are in one of the two terms and not in the other. A term without a
# first day, or whose end is not after it, has no days.
_RECORD: Final = sql.SQL(
    """
    insert into ops.changed_terms (change_id, ip_asset_id, days)
    with versions as (
        select latest.*, true as is_old
        from {delta} as delta
        cross join lateral (
            select id, ip_asset_id, {holders}, start_date, end_date, is_removed
            from {raw} as version where version.id = delta.id order by version.change_id desc limit 1
        ) as latest
        union all
        select id, ip_asset_id, {holders}, start_date, end_date, is_removed, false as is_old
        from {delta}
    ),
    terms as (
        select
            id, ip_asset_id, {holders},
            coalesce(range_agg(daterange(start_date, end_date)) filter (where is_old), '{{}}') as old_days,
            coalesce(range_agg(daterange(start_date, end_date)) filter (where not is_old), '{{}}') as new_days
        from versions
        where not is_removed and ip_asset_id is not null and start_date < coalesce(end_date, 'infinity')
        group by id, ip_asset_id, {holders}
    )
    select %s, ip_asset_id, (old_days - new_days) + (new_days - old_days)
    from terms
    where old_days <> new_days
    """
)
