"""Incremental check of period marts: their numbers are the sums of their days.

The cost follows the days that a run changes, not the length of history. Modules with a PeriodMart use it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from quality_checks.queries import rows_of_whole_tables
from warehouse.window import Window


@dataclass(frozen=True, slots=True)
class PeriodMart:
    """A mart with a row per period and key, and the daily mart that it adds up.

    `numbers` has, by column of the period mart, the daily column that it adds up. The daily mart has the same keys and
    is published in `published_schema`.
    """

    name: str
    days: str
    published_schema: str
    keys: Sequence[str]
    numbers: Mapping[str, str] = field(hash=False)


# The published value plus the changes of its days must equal the built value. Such days are those of the window, and
# those by which the ends of the period have moved. A row that differs is suspect, since the published value may have
# been wrong: all of its days are added up. Without suspects `exists` is false, and the full history is not read.
_UNEVEN = """
with
bounds as (
    select
        -- A period without a first day has every day.
        now.period, coalesce(now.first_date, '-infinity') as first_date, now.last_date,
        before.first_date as first_date_before, before.last_date as last_date_before
    from build.periods as now left join marts.periods as before on before.period = now.period
),
moves as (
    select period, sign, from_date, until_date
    from bounds cross join lateral (
        values
        (-1, first_date_before, first_date), (1, first_date, first_date_before),
        (1, last_date_before + 1, last_date + 1), (-1, last_date + 1, last_date_before + 1)
    ) as moved (sign, from_date, until_date)
    where from_date < until_date
),
both_sides as (
    select period, {keys}, false as is_built, {totals}
    from marts.{mart}
    union all
    select period, {keys}, false, {numbers}
    from bounds inner join build.{days} as days on metric_date between first_date and last_date
    where metric_date >= %(start)s and metric_date < %(end)s
    union all
    select period, {keys}, false, {negative_numbers}
    from bounds inner join {published_days} as days on metric_date between first_date and last_date
    where metric_date >= %(start)s and metric_date < %(end)s
    union all
    select period, {keys}, false, {signed_numbers}
    from moves inner join {published_days} as days on metric_date >= from_date and metric_date < until_date
    union all
    select period, {keys}, true, {negative_totals}
    from build.{mart}
),
suspects as materialized (
    select period, {keys}, {shown_totals}
    from both_sides
    group by period, {keys}
    having bool_or(is_built) and ({differs})
),
days as (
    select metric_date, {keys}, {daily_columns}
    from build.{days}
    where metric_date >= %(start)s and metric_date < %(end)s and exists (select from suspects)
    union all
    select metric_date, {keys}, {daily_columns}
    from {published_days}
    where (metric_date < %(start)s or metric_date >= %(end)s) and exists (select from suspects)
)
select '{mart}' as mart, suspects.period, {suspect_keys}, {missing}
from suspects
inner join bounds on bounds.period = suspects.period
left join days on days.metric_date between bounds.first_date and bounds.last_date and {same_keys}
group by suspects.period, {suspect_keys}, {suspect_totals}
having {missing_any}
order by suspects.period, {suspect_keys}
"""


def uneven_periods(connection: psycopg.Connection, window: Window, mart: PeriodMart) -> list[dict[str, Any]]:
    """Return the rows of a period mart whose numbers are not the sums of their days.

    Each has the mart, period, keys and, per number, how much the days exceed it. Days of the window are read as built,
    all others as published. Missing rows are not found, nor a row that was published wrong and is wrong by the same
    amount again.
    """
    totals, columns = list(mart.numbers), list(mart.numbers.values())
    missing = {total: f"coalesce(sum(days.{column}), 0) - suspects.{total}" for total, column in mart.numbers.items()}
    # The join uses the first key, which is never null.
    first_key, *other_keys = mart.keys
    statement = _UNEVEN.format(
        mart=mart.name,
        days=mart.days,
        published_days=f"{mart.published_schema}.{mart.days}",
        keys=", ".join(mart.keys),
        totals=", ".join(totals),
        numbers=", ".join(f"{column} as {total}" for total, column in mart.numbers.items()),
        negative_numbers=", ".join(f"-{column}" for column in columns),
        signed_numbers=", ".join(f"sign * {column}" for column in columns),
        negative_totals=", ".join(f"-{total}" for total in totals),
        shown_totals=", ".join(f"-sum({total}) filter (where is_built) as {total}" for total in totals),
        differs=" or ".join(f"sum({total}) is distinct from 0" for total in totals),
        daily_columns=", ".join(columns),
        suspect_keys=", ".join(f"suspects.{key}" for key in mart.keys),
        suspect_totals=", ".join(f"suspects.{total}" for total in totals),
        same_keys=" and ".join(
            [
                f"days.{first_key} = suspects.{first_key}",
                *(f"days.{key} is not distinct from suspects.{key}" for key in other_keys),
            ]
        ),
        missing=", ".join(f"{difference} as {total}" for total, difference in missing.items()),
        missing_any=" or ".join(f"{difference} is distinct from 0" for difference in missing.values()),
    )
    return rows_of_whole_tables(connection, statement, window)
