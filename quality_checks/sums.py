"""Checks that totals fit the marts' bigint columns: too large a total is found before the build, with its rows.

A single amount is limited where it is read; rows loaded by an older version may hold more.
"""

from datetime import date
from decimal import Decimal
from typing import Any, Final

import psycopg

from quality_checks.outcome import Finding, finding
from quality_checks.product import SPEND
from quality_checks.queries import rows_of
from quality_checks.registry import check
from warehouse.single_values import exist, value_of
from warehouse.window import ONE_DAY, Window

# The greatest bigint.
MAX_SUM: Final = 2**63 - 1
# Number of the greatest amounts shown for a total that does not fit.
_ROWS_SHOWN: Final = 10


_DAYS: Final = """
select event_date, coalesce(sum(revenue_cents), 0) as revenue_cents, coalesce(sum(fee_cents), 0) as fee_cents
from raw.events
where event_date >= %(start)s and event_date < %(end)s
group by event_date
order by event_date
"""
# A row a day: no events are read of the days that are published and not of the window.
_PUBLISHED: Final = """
select metric_date as event_date, revenue_cents
from marts.platform_daily_metrics
where metric_date < %(start)s or metric_date >= %(end)s
"""
_GREATEST: Final = """
select events.event_date, events.event_key, loads.file, events.{amount}
from raw.events as events
left join ops.loads as loads using (load_id)
where events.event_date = any(%(days)s::date[]) and events.{amount} > 0
order by events.{amount} desc, events.event_date, events.event_key
limit %(rows_shown)s
"""


@check("raw/events")
def revenue_fits_its_columns(connection: psycopg.Connection, window: Window) -> Finding:
    """All revenue adds up to less than 2^63 cents, the limit of the marts' columns, and so do the fees of a day.

    No week, month, period or group has more than all days together: the window's days, and all others as published. Bad
    days are those from which the total no longer fits, or the first day when it does not fit before the window. The
    sample names the greatest events with their days and files, since such amounts are mistakes of the sender. Days of
    the window and the day after it must fit together, because a session may continue after midnight.
    """
    # A session of the window's last day has events of the day after it.
    read = rows_of(connection, _DAYS, Window(window.start, window.end + ONE_DAY))
    last = window.end - ONE_DAY
    # Checks of raw run in a new warehouse before anything is built.
    published = rows_of(connection, _PUBLISHED, window) if exist(connection, "marts.platform_daily_metrics") else []
    total = sum((Decimal(day["revenue_cents"]) for day in published), Decimal(0))
    bad: set[date] = {window.start} if total > MAX_SUM else set()
    for day in read:
        if day["event_date"] <= last:
            total += day["revenue_cents"]
            if total > MAX_SUM or day["fee_cents"] > MAX_SUM:
                bad.add(day["event_date"])
    if sum(day["revenue_cents"] for day in read) > MAX_SUM:
        bad.add(last)
    wrong: list[dict[str, Any]] = []
    if bad:
        greatest = sorted(published, key=lambda day: -day["revenue_cents"])[:_ROWS_SHOWN]
        days = [day["event_date"] for day in (*read, *greatest)]
        for amount in ("revenue_cents", "fee_cents"):
            wrong += rows_of(connection, _GREATEST.format(amount=amount), days=days, rows_shown=_ROWS_SHOWN)
        wrong.sort(key=lambda row: -max(row.get("revenue_cents") or 0, row.get("fee_cents") or 0))
    observed: dict[str, object] = {"total_cents": total, "greatest_total": MAX_SUM}
    if bad:
        observed["what_to_do"] = (
            "Correct the amounts of the events in the sample, in the files that it names, and run these files'"
            " landing days again: no amount of the product is as large."
        )
    return finding(observed, wrong[:_ROWS_SHOWN], bad)


# An upper bound of the spend: every version of every row, whatever its sign.
_MOST_SPEND: Final = """
select coalesce(sum(abs(cents::numeric)), 0) as cents
from (
    select fee_cents as cents from raw.licenses
    union all
    select amount_cents from raw.license_adjustments
) as amounts
"""
_SPEND: Final = f"select coalesce(sum(abs(spend_cents::numeric)), 0) as cents from ({SPEND}) as spend"
_GREATEST_SPEND: Final = """
select *
from (
    select 'licenses' as table_name, id, observed_date, fee_cents as cents from raw.licenses
    union all
    select 'license_adjustments', id, observed_date, amount_cents from raw.license_adjustments
) as amounts
where cents is not null
order by abs(cents::numeric) desc, table_name, id
limit %(rows_shown)s
"""
_AD_SPEND: Final = """
select ad_spend.spend_date, sum(cost_cents) as cost_cents, sum(impressions) as impressions, sum(clicks) as clicks
from raw.ad_spend as ad_spend
where spend_date >= %(start)s and spend_date < %(end)s
group by spend_date
having greatest(sum(cost_cents), sum(impressions), sum(clicks)) > %(most)s
order by spend_date
"""


@check("raw/events")
def spend_fits_its_columns(connection: psycopg.Connection, window: Window) -> Finding:
    """The cost of all licenses and their adjustments is less than 2^63 cents, and so is each day's advertising.

    The window's last day stands for the product's tables. The sample names their greatest amounts by table and id.
    """
    wrong: list[dict[str, Any]] = []
    bad: set[date] = set()
    # The first sum is far cheaper, and suffices where no amount is absurd.
    if exist(connection, "raw.licenses", "raw.license_adjustments") and all(
        value_of(connection, statement) > MAX_SUM for statement in (_MOST_SPEND, _SPEND)
    ):
        wrong += rows_of(connection, _GREATEST_SPEND, rows_shown=_ROWS_SHOWN)
        bad.add(window.end - ONE_DAY)
    if exist(connection, "raw.ad_spend"):
        days = rows_of(connection, _AD_SPEND, window, most=MAX_SUM)
        wrong += [{"table_name": "ad_spend", **day} for day in days]
        bad |= {day["spend_date"] for day in days}
    observed: dict[str, object] = {"wrong_totals": len(bad), "greatest_total": MAX_SUM}
    if bad:
        observed["what_to_do"] = (
            "Correct the amounts that the sample names, in the product's tables or in the files of ad spend, and run"
            " the day again."
        )
    return finding(observed, wrong, bad)
