"""How a mart that has a row a period is held against the days that it adds up, at a cost that follows what the run
changes and not the length of history. Which marts these are, and what else they show, is said where they are judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from quality_checks.queries import rows_of_whole_tables
from warehouse.window import Window


@dataclass(frozen=True, slots=True)
class PeriodMart:
    """A mart with a row a period and key, and the daily one that has the same keys: `numbers` says which of the daily
    columns each of its own adds up. The daily one is published in `published_schema`."""

    name: str
    days: str
    published_schema: str
    keys: Sequence[str]
    numbers: Mapping[str, str] = field(hash=False)


# A period is what it was when it was last published, and what its days have changed since: those of the window, and
# those by which its ends have moved. A row that does not follow from that is a suspect, for the published one may have
# been wrong; all of its days are added up. Without a suspect nobody reads them: `exists` is asked first, and once.
_UNEVEN = """
with
bounds as (
    select
        -- One without a first day has every day there is.
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
    """The rows of a period mart whose numbers are not the sums of their days: of each the mart, its period, its keys
    and, per number, by how much the days exceed it. The days of the window count as built, all others as published.

    Not found are rows that are missing, and one that was published wrong and is wrong by the same amount again.
    """
    totals, columns = list(mart.numbers), list(mart.numbers.values())
    missing = {total: f"coalesce(sum(days.{column}), 0) - suspects.{total}" for total, column in mart.numbers.items()}
    # The first key is never null, and what the join is made by; the others may be.
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
    return rows_of_whole_tables(connection, statement, {"start": window.start, "end": window.end})
