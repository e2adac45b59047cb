"""SQL over the product's tables as they are now: last versions, owners and licensees by day, spend.

Parts of statements for the checks of creators, brands and the platform. They share nothing with the models.
"""

from typing import Final


def latest(table: str) -> str:
    """Return a select of the last version of every row of a table of the product, removed rows too."""
    return f"select distinct on (id) * from raw.{table} order by id, change_id desc"


def _held(table: str, holder: str, *beside: str) -> str:
    # A share or license is valid from its start until before its end. Without a start, or when it ends no later than it
    # starts, it is valid on no day.
    holders = ", ".join([holder, *beside])
    return f"""
    select ip_asset_id, {holders}, range_agg(daterange(start_date, end_date)) as held_days
    from ({latest(table)}) as terms
    where not is_removed and {holder} is not null and ip_asset_id is not null
        and start_date is not null and (end_date is null or end_date > start_date)
    group by ip_asset_id, {holders}
"""


# The days on which a creator owns an asset, and on which a brand has licensed it for a project.
SHARES: Final = _held("ip_ownerships", "creator_id")
TERMS: Final = _held("licenses", "brand_id", "project_id")

# The row exists and is not deleted. Deleted at infinity means never.
IS_THERE: Final = "not is_removed and coalesce(deleted_at, 'infinity') = 'infinity'"

# The UTC day on which a row was created.
CREATED_DATE: Final = "(created_at at time zone 'utc')::date"

# The numbers of each asset on each day of the window, from which the marts of creators and brands are built.
ASSET_DAYS: Final = """
    select
        metric_date, ip_asset_id,
        sum(views) as views, sum(clicks) as clicks, sum(conversions) as conversions, sum(revenue_cents) as revenue_cents
    from build.daily_metrics
    where metric_date >= %(start)s and metric_date < %(end)s and ip_asset_id is not null
    group by metric_date, ip_asset_id
"""

# Spend of brands by day: the first known fee of a license on the day it was created, and its adjustments.
SPEND: Final = f"""
    select brand_id, project_id, {CREATED_DATE} as spend_date, fee_cents_first as spend_cents
    from ({latest("licenses")}) as rows_now
    inner join (
        select id, (array_agg(fee_cents order by change_id) filter (where fee_cents is not null))[1] as fee_cents_first
        from raw.licenses
        group by id
    ) as fees using (id)
    where not is_removed
    union all
    select brand_id, project_id, effective_date, amount_cents
    from (
        select license_id, effective_date, amount_cents
        from ({latest("license_adjustments")}) as rows_now
        where not is_removed
    ) as adjustments
    inner join ({latest("licenses")}) as licenses on licenses.id = license_id and not is_removed
"""
