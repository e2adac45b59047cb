"""Checks of the product's tables: values that changed although published numbers keep the first one."""

from typing import Final

import psycopg

from quality_checks.outcome import SAMPLE_ROWS, Finding, Severity, finding_of_run
from quality_checks.queries import rows_of, take_totals
from quality_checks.registry import check
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


@check("intermediate/int_licenses", severity=Severity.WARNING)
def license_fees_unchanged(connection: psycopg.Connection, window: Window) -> Finding:
    """Every license has the fee that it was first seen with. A changed fee belongs in license_adjustments.

    Spend uses the first fee, so that a published day never changes silently. `cents` is by how much today's fees exceed
    the first ones. All licenses are compared, whatever the window; its last day stands for them. The sample shows the
    latest changes.
    """
    shown = rows_of(connection, _CHANGED_FEES, rows_shown=SAMPLE_ROWS)
    licenses, cents = take_totals(shown, "licenses", "cents")
    return finding_of_run({"licenses": licenses, "cents": cents}, shown, window)
