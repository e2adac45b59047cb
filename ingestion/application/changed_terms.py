"""Changes of terms: the days on which a share of an asset is owned, or a license for it holds.

Numbers of a day depend on the terms of that day. A term can become known, or change, long after its days.
"""

from typing import Final

import psycopg

# Tables of rows with a term, and their columns that name a holder.
_HOLDERS: Final = {"ip_ownerships": "creator_id", "licenses": "brand_id, project_id"}


def record_changed_terms(cursor: psycopg.Cursor, change_id: int) -> int:
    """Record the assets with changed terms, and the days concerned. Returns the number of records.

    Call it before the new versions are appended.
    """
    return sum(
        cursor.execute(
            _RECORD.format(raw=f"raw.{table}", delta=f"pg_temp.delta_{table}", holders=holders), [change_id]
        ).rowcount
        for table, holders in _HOLDERS.items()
    )


# A row with a new asset or holder ends one term and begins another. Where asset and holder stay, the changed days are
# those in one of the two terms and not in the other. A term without a first day, or with an end not after it, has no
# days.
_RECORD: Final = """
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
