"""The section on the last night: what ran, was refused and is late, from the records of schema ops.

It names days, checks, runs and counts, and no person.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import psycopg

from reporting.pages import charts, numbers
from reporting.pages.blocks import Column, Figure, Message, Panel, Section, Table, text_column
from reporting.pages.marts import DAY, Number, listed, rows_of
from warehouse.window import NIGHTLY_HOUR, ONE_DAY

_NIGHT: Final = timedelta(days=1)
_LANDING_DAYS: Final = 30
_DAYS_SHOWN: Final = 31
_DAYS_OF_REASONS: Final = 7
_REASONS_SHOWN: Final = 20
_LANDING_DAY: Final = Number("Landing day", "metric_date", numbers.short_day)

_PUBLISHED: Final = """
select run_id, min(event_date) as first_day, max(event_date) as last_day, count(*) as days,
    max(published_at) at time zone 'UTC' as published_at
from ops.published_days
where published_at > %(since)s
group by run_id
order by published_at desc
"""
_LAST_DAY: Final = """
select max(event_date) as last_day, max(published_at) at time zone 'UTC' as published_at,
    bool_or(event_date = %(due)s) as is_due_published
from ops.published_days
"""
_CHECKS: Final = """
select count(*) as checks, count(*) filter (where not is_passed) as failed
from ops.check_results where checked_at > %(since)s
"""
_FAILING: Final = """
select check_name, severity, failing_days, checked_at at time zone 'UTC' as checked_at
from ops.check_states
where not is_passing
order by severity, check_name
"""
# The view has a line for each mart. Sealed days are as they will stay.
_DAYS: Final = """
select metric_date, state, count(distinct mart) as marts, min(since) at time zone 'UTC' as since,
    string_agg(distinct reason, ', ' order by reason) as reasons
from marts.stale_days
left join lateral unnest(reasons) as reason on true
where state <> 'sealed'
group by metric_date, state
order by metric_date desc, state
"""
_WAITING: Final = "select count(*) as files, array_agg(distinct landing_date) as days from ops.waiting_files"
# Of days on which nothing was loaded there is nothing to say but what waits.
_LANDED: Final = """
select metric_date, files, lines_read, accepted, rejected, duplicates, not_tracked, erased, late, rejected_by_reason
from marts.data_quality
where metric_date > %(after)s and files > 0
order by metric_date desc
"""


def section(connection: psycopg.Connection, *, now: datetime, faults: Sequence[Message] = ()) -> Section:
    """Return the section as of `now`, UTC. `faults` are what is wrong now, in words, with advice."""
    since = now - _NIGHT
    due = (now - timedelta(hours=NIGHTLY_HOUR)).date() - ONE_DAY
    [last] = rows_of(connection, _LAST_DAY, due=due)
    runs = rows_of(connection, _PUBLISHED, since=since)
    [checks] = rows_of(connection, _CHECKS, since=since)
    failing = rows_of(connection, _FAILING)
    days = rows_of(connection, _DAYS)
    landed = rows_of(connection, _LANDED, after=now.date() - _LANDING_DAYS * ONE_DAY)
    return Section(
        "night",
        "The last night",
        f"The 24 hours up to {numbers.moment(now)}, for those who run the warehouse.",
        messages=[_state(last, due), *faults],
        figures=[
            Figure("Days published", numbers.count(sum(run.days for run in runs)), "in 24 hours"),
            Figure("Checks run", numbers.count(checks.checks), f"{numbers.count(checks.failed)} failed"),
            _days_of(days, "refused", "by a check that blocks"),
            _days_of(days, "late", "due and not published"),
            _days_of(days, "stale", "to be run again"),
        ],
        panels=[
            _ran(runs),
            _refused(failing),
            _late(days, rows_of(connection, _WAITING)[0]),
            *_landed(landed),
        ],
    )


def _state(last: Any, due: date) -> Message:
    if last.last_day is None:
        return Message("warning", "Nothing is published yet.")
    if last.is_due_published:
        return Message("ok", f"{numbers.long_day(due)}, the last day that was due, is published.")
    return Message(
        "fault",
        f"{numbers.long_day(due)} was due and is not published. Readers see days up to {last.last_day},"
        f" last published {numbers.moment(last.published_at)}.",
    )


def _ran(runs: Sequence[Any]) -> Panel:
    return Panel(
        "What ran",
        listed(
            runs,
            Number("Published", "published_at", numbers.moment),
            [
                Number("First day", "first_day", str),
                Number("Last day", "last_day", str),
                Number("Days", "days", numbers.count),
                Number("Run", "run_id", lambda run_id: run_id[:8]),
            ],
            "No run has published a day in these 24 hours.",
        ),
        note="A day that was published again since counts for its last run.",
    )


def _refused(failing: Sequence[Any]) -> Panel:
    columns = [text_column("Check"), text_column("Effect"), Column("Days"), text_column("Last days")]
    rows = [
        [
            _in_words(check.check_name),
            "refuses the days" if check.severity == "error" else "warns",
            numbers.count(len(check.failing_days)),
            numbers.some(map(str, reversed(check.failing_days))),
        ]
        for check in failing
    ]
    return Panel(
        "What was refused, and warnings",
        Table(columns, rows, "Every check passes on every day."),
        note="A day that is refused keeps the numbers that it had. A warning refuses nothing.",
    )


def _late(days: Sequence[Any], waiting: Any) -> Panel:
    more = f"{len(days) - _DAYS_SHOWN} more lines are in marts.stale_days. " if len(days) > _DAYS_SHOWN else ""
    files = f"{waiting.files} landing files wait, of {numbers.some(map(str, waiting.days))}." if waiting.files else ""
    return Panel(
        "What is late or stale",
        listed(
            days[:_DAYS_SHOWN],
            DAY,
            [
                Number("State", "state", str),
                Number("Marts", "marts", numbers.count),
                Number("Since", "since", lambda since: numbers.moment(since) if since else numbers.ABSENT),
                Number("Reasons", "reasons", lambda reasons: _in_words(reasons or numbers.ABSENT)),
            ],
            "No day is late, refused or stale: published numbers are those of what was loaded.",
        ),
        note=f"{more}{files}".strip(),
    )


def _days_of(days: Sequence[Any], state: str, note: str) -> Figure:
    return Figure(f"Days {state}", numbers.count(sum(day.state == state for day in days)), note)


def _landed(landed: Sequence[Any]) -> list[Panel]:
    """Return the panels on what landed: the shares of rejected lines and late events, and the counts."""
    days = landed[::-1]
    rejected = [numbers.share(day.rejected, day.lines_read) for day in days]
    late = [numbers.share(day.late, day.accepted) for day in days]
    empty = "No file was loaded yet."
    return [
        Panel(
            "Rejected lines and late events",
            Table(
                [text_column("Landing day"), Column("Rejected"), Column("Late")],
                [
                    [numbers.short_day(day.metric_date), numbers.percent(part), numbers.percent(other)]
                    for day, part, other in reversed(list(zip(days, rejected, late, strict=True)))
                ],
                empty,
            ),
            charts.by_day(
                "Rejected lines and late events",
                [day.metric_date for day in days],
                {"Rejected, of all lines": rejected, "Late, of accepted events": late},
                lambda rate: f"{rate:.2f} %",
            ),
            note="A late event arrived more than a day after the day on which it occurred.",
        ),
        _reasons(landed[:_DAYS_OF_REASONS]),
        Panel(
            "Lines by outcome",
            listed(
                landed,
                _LANDING_DAY,
                [
                    Number(name.replace("_", " ").capitalize(), name, numbers.count)
                    for name in (
                        "files", "lines_read", "accepted", "rejected", "duplicates", "not_tracked", "erased", "late",
                    )
                ],
                empty,
            ),
            note="Late events are among the accepted ones.",
        ),
    ]  # fmt: skip


def _reasons(landed: Sequence[Any]) -> Panel:
    counted: Counter[str] = Counter()
    for day in landed:
        counted.update(day.rejected_by_reason)
    # Ties stand in the order of their texts.
    shown = sorted(counted.items(), key=lambda found: (-found[1], found[0]))[:_REASONS_SHOWN]
    more = f" {len(counted) - len(shown)} rarer reasons are in marts.data_quality." if len(counted) > len(shown) else ""
    return Panel(
        "Rejected lines by reason",
        Table(
            [text_column("Reason"), Column("Lines")],
            [[reason, numbers.count(lines)] for reason, lines in shown],
            "No line was rejected on these landing days.",
        ),
        note=f"The last {len(landed)} landing days. Rejected lines are kept, and can be replayed.{more}"
        if landed
        else "",
    )


def _in_words(name: str) -> str:
    return name.replace("_", " ")
