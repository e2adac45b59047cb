"""State of the warehouse on one page: is yesterday published, what is late, rejected, stale, and why.

Dagster shows it at asset ops/status, `warehouse status` on the command line. It holds days, counts and names of checks.
"""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Final

import psycopg

from alerting.fault import listed
from publishing import days_not_current
from publishing.days_not_current import DayState
from warehouse.window import ONE_DAY

_LANDING_DAYS: Final = 7
_REASONS_SHOWN: Final = 3

_LANDED: Final = """
with
loads as (
    select landing_date, sum(lines_read) as lines_read, sum(accepted) as accepted, sum(rejected) as rejected,
        sum(duplicates) as duplicates, sum(late) as late, array_agg(load_id) as load_ids
    from ops.loads
    where replaced_by is null and landing_date > (select max(landing_date) from ops.loads) - %(days)s
    group by landing_date
),
reasons as (
    select loads.landing_date, rejected.reasons[1] as reason, count(*) as lines,
        row_number() over (partition by loads.landing_date order by count(*) desc, rejected.reasons[1]) as place
    from loads
    inner join raw.rejected_events as rejected on rejected.load_id = any(loads.load_ids)
    group by loads.landing_date, rejected.reasons[1]
)
select landing_date, lines_read::bigint, accepted::bigint, rejected::bigint, duplicates::bigint, late::bigint,
    (select string_agg(reason || ' (' || lines || ')', '; ' order by place) from reasons
        where reasons.landing_date = loads.landing_date and place <= %(shown)s)
from loads
order by landing_date desc
"""

_WARNINGS: Final = """
select check_name, failing_days from ops.check_states
where severity = 'warning' and not is_passing
order by check_name
"""


def status_page(
    connection: psycopg.Connection, found: list[DayState], *, now: datetime, deadline: time
) -> dict[str, str]:
    """Return answers in Markdown, by question. Days that are not as they should be are `found`, due at the deadline."""
    return {
        "Is yesterday published?": "\n".join(_yesterday(connection, found, now, deadline)),
        "What is late, refused or stale, and why?": "\n".join(_days(found)),
        "What was rejected?": "\n".join(_landed(connection)),
        "Which checks warn?": "\n".join(_warnings(connection)),
    }


def _yesterday(connection: psycopg.Connection, found: list[DayState], now: datetime, deadline: time) -> Iterator[str]:
    yesterday = now.date() - ONE_DAY
    published = connection.execute(
        "select published_at, run_id from ops.published_days where event_date = %s", [yesterday]
    ).fetchone()
    state = next((state for state in found if state.day == yesterday), None)
    if published:
        at, run_id = published
        yield f"Yes: {yesterday} was published at {at:%Y-%m-%d %H:%M} UTC by run `{run_id}`."
        if state:
            yield f"Since then it is {state.state}: {state.why}. Readers see the numbers of that publication."
    elif state:
        yield f"No: {yesterday} is {state.state} ({state.why}). Its deadline was {deadline:%H:%M} UTC."
    else:
        yield f"Not yet: the deadline of {yesterday} is {deadline:%H:%M} UTC."
    first, last, count = connection.execute(
        "select min(event_date), max(event_date), count(*) from ops.published_days"
    ).fetchone() or (None, None, 0)
    yield f"Published days: {count}, {first} to {last}." if count else "No day is published."


def _days(found: list[DayState]) -> Iterator[str]:
    if found:
        yield days_not_current.table(found)
        yield ""
        yield (
            "Dagster runs stale days again by itself. A refused day needs a correction: `warehouse alerts` says which."
            " The reasons are explained in docs/operate.md."
        )
    else:
        yield "Nothing: every day that is due is published and current."


def _landed(connection: psycopg.Connection) -> Iterator[str]:
    rows = connection.execute(_LANDED, {"days": _LANDING_DAYS, "shown": _REASONS_SHOWN}).fetchall()
    waiting = connection.execute(
        "select count(*), array_agg(distinct landing_date order by landing_date) from ops.waiting_files"
    ).fetchone()
    if rows:
        yield "| landing day | lines | accepted | rejected | duplicates | late | most frequent reasons |"
        yield "|---|---:|---:|---:|---:|---:|---|"
    else:
        yield "Nothing has been loaded."
    for day, lines, accepted, rejected, duplicates, late, reasons in rows:
        share = f" ({rejected / lines:.1%})" if rejected else ""
        why = (reasons or "").replace("|", "/")
        yield f"| {day} | {lines:,} | {accepted:,} | {rejected:,}{share} | {duplicates:,} | {late:,} | {why} |"
    if waiting and waiting[0]:
        yield ""
        yield f"{waiting[0]} files wait to be loaded, of {listed(waiting[1])}: `select * from ops.waiting_files`."


def _warnings(connection: psycopg.Connection) -> Iterator[str]:
    rows: list[tuple[str, list[date]]] = connection.execute(_WARNINGS).fetchall()
    if not rows:
        yield "None."
    for name, days in rows:
        yield f"- `{name}`: {listed(days)}"
