"""What the product's tables say otherwise than before, where numbers keep to what was said first."""

from datetime import timedelta
from typing import Final

import psycopg

from quality_checks.outcome import SAMPLE_ROWS, CheckOutcome, Severity, json_row
from quality_checks.queries import rows_of
from warehouse.window import Window

_CHANGED_FEES: Final = """
with
versions as (
    select id, fee_cents, observed_date, is_removed,
        first_value(fee_cents) over (partition by id order by (fee_cents is null), change_id) as first_fee_cents,
        row_number() over (partition by id order by change_id desc) as nth_latest
    from raw.licenses
),
changed as (
    select
        id as license_id,
        first_fee_cents,
        max(fee_cents) filter (where nth_latest = 1) as fee_cents,
        min(observed_date) filter (where fee_cents <> first_fee_cents) as first_observed_date
    from versions
    group by id, first_fee_cents
    having bool_or(nth_latest = 1 and not is_removed and fee_cents is distinct from first_fee_cents)
)
select
    *,
    count(*) over () as licenses,
    sum(coalesce(fee_cents::numeric, 0) - coalesce(first_fee_cents, 0)) over () as cents
from changed
order by first_observed_date desc, license_id
limit %(rows_shown)s
"""


def license_fees_unchanged(connection: psycopg.Connection, window: Window) -> CheckOutcome:
    """Every license costs what it cost when it was first seen: what changes a fee belongs to license_adjustments.

    Spend keeps to the first fee, so that a published day never changes silently; `cents` is by how much the fees of now
    exceed it. Looks at all licenses, whatever the window, whose last day stands for them. The sample shows the latest
    changes.
    """
    shown = rows_of(connection, _CHANGED_FEES, {"rows_shown": SAMPLE_ROWS})
    columns = ("license_id", "first_fee_cents", "fee_cents", "first_observed_date")
    return CheckOutcome(
        name="license_fees_unchanged",
        passed=not shown,
        severity=Severity.WARNING,
        observed={
            "licenses": int(shown[0]["licenses"]) if shown else 0,
            "cents": int(shown[0]["cents"]) if shown else 0,
        },
        days=(window.end - timedelta(days=1),) if shown else (),
        sample=tuple(json_row({name: row[name] for name in columns}) for row in shown),
        covers_all_days=True,
    )
