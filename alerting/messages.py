"""Texts of messages: what is wrong, since when, which day, what to do, and the link of the run.

They hold counts, days, and names of files, checks, jobs and models. They never hold an id or an address of a person.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from alerting.fault import Fault, Kind, listed
from warehouse.window import ONE_DAY

# A message that names fifty files is not read.
_DETAILS_SHOWN: Final = 5


class _Words(NamedTuple):
    """Words for a kind of fault: its title, its meaning for readers, whether it can wait, and what to do.

    `{day}` is the first day that it is about, `{start}` and `{end}` its days, the end exclusive.
    """

    title: str
    meaning: str
    urgency: str
    advice: str
    afterwards: str = "nothing more."


_WORDS: Final = {
    Kind.RUN_FAILED: _Words(
        "run failed",
        "A run failed; retries did not help, or could not. What was published before stays as it was.",
        "act before the numbers are needed. Days with loaded events are tried again once an hour by themselves.",
        "Open the run and read its first error. Once the cause is gone, the days are run again within the hour while"
        " Dagster runs. A job that a person has started, start again, or: warehouse alerts --dismiss {run}.",
    ),
    Kind.DAY_REFUSED: _Words(
        "day refused",
        "A check refuses to publish a day. Dashboards keep the numbers that they had.",
        "it can wait for the morning: later days are published as usual.",
        "Look at the rows that the check shows in the run. Correct or remove the landing file; the day is then run"
        ' again by itself. If really nothing happened: warehouse declare-silent-day {day} --reason "..." --name "...".'
        " If the day is right all the same: warehouse publish-refused-day {day} --check CHECK --reason ... --name ...",
    ),
    Kind.DAY_NOT_PUBLISHED: _Words(
        "day not published in time",
        "A day was not published by its deadline. Dashboards end with an earlier day.",
        "act before people read dashboards.",
        "Look whether Dagster runs (make ui, or its service), and whether a run is active or queued. Without one:"
        " warehouse backfill {start} {end}. What else is wrong: warehouse doctor.",
    ),
    Kind.PLAN_WAITS: _Words(
        "a plan waits",
        "The loaded code changes models, and nobody has applied it. The marts of these models get no new days.",
        "it can wait for the morning.",
        "See what it builds: warehouse plan. Then: warehouse plan --apply. A mistake is taken back by the old code.",
    ),
    Kind.REJECTED_LINES: _Words(
        "too many rejected lines",
        "More lines than usual were rejected. Their events are missing in the numbers, which are published.",
        "it can wait for the morning: rejected lines are kept.",
        "See which rule they break: select reasons, count(*) from raw.rejected_events inner join ops.loads using"
        " (load_id) where landing_date >= '{start}' and landing_date < '{end}' group by 1 order by 2 desc. Have the"
        " sender corrected, then run the job replay_rejected.",
        "lines that were rejected stay so. The job replay_rejected runs them again.",
    ),
    Kind.LATE_EVENTS: _Words(
        "too many late events",
        "More events than usual arrived over a day late. Their days are run again by themselves.",
        "it can wait for the morning.",
        "Look at what delays the sender of these files. Numbers of the days change until everything has arrived.",
    ),
    Kind.DISK_FULL: _Words(
        "disk almost full",
        "A disk is almost full. Runs fail when it is, and Postgres may stop.",
        "act now.",
        "Free space or enlarge the disk: old backups, exports, landing files that were archived. docs/deploy.md has a"
        " query of what each table takes.",
        "find out what filled it.",
    ),
}


def words_of(kind: Kind, days: Collection[date], run_id: str | None = None) -> tuple[str, str]:
    """Return what a kind of fault is called, and what to do about these days."""
    first, last = min(days, default=date.max), max(days, default=date.min)
    end = last + ONE_DAY if days else date.max
    return _WORDS[kind].title, _WORDS[kind].advice.format(day=first, start=first, end=end, run=run_id or "RUN")


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is shown: its faults are all of the alert, also those that are gone."""

    alert_id: int
    kind: Kind
    opened_at: datetime
    closed_at: datetime | None
    faults: Sequence[Fault]

    @property
    def since(self) -> datetime:
        """Return when the first fault began."""
        return min([self.opened_at, *(fault.since for fault in self.faults)])

    @property
    def days(self) -> str:
        """Return the days that it is about, as text."""
        return listed(fault.day for fault in self.faults if fault.day)

    @property
    def meaning(self) -> str:
        """Return what the fault means for readers."""
        return _WORDS[self.kind].meaning

    @property
    def advice(self) -> str:
        """Return what to do."""
        return words_of(self.kind, [fault.day for fault in self.faults if fault.day], self.run_id)[1]

    @property
    def rules(self) -> list[str]:
        """Return what the checks hold that refuse the days."""
        if self.kind is not Kind.DAY_REFUSED:
            return []
        # Loads every check, and is needed on the day of a fault alone.
        from quality_checks.registry import checks

        names = {name for fault in self.faults for name in fault.cause.split(", ")}
        return [f"{check.name}: {' '.join(check.description.split())}" for check in checks() if check.name in names]

    @property
    def details(self) -> str:
        """Return the details of the faults, shortened."""
        details = list(dict.fromkeys(fault.detail for fault in self.faults if fault.detail))
        more = f"; and {len(details) - _DETAILS_SHOWN} more" if len(details) > _DETAILS_SHOWN else ""
        return "; ".join(details[:_DETAILS_SHOWN]) + more

    @property
    def run_id(self) -> str | None:
        """Return the latest run that the faults name."""
        return next((fault.run_id for fault in reversed(self.faults) if fault.run_id), None)

    @property
    def title(self) -> str:
        """Return the title of messages about it."""
        jobs = {fault.cause for fault in self.faults} if self.kind is Kind.RUN_FAILED else set()
        about = ", ".join([*sorted(jobs), *([self.days] if self.days else [])])
        return f"{_WORDS[self.kind].title}{f': {about}' if about else ''}"


class Message(NamedTuple):
    """A message as channels send it. The key is the same whenever it is sent again."""

    key: str
    title: str
    lines: tuple[str, ...]


def message(alert: Alert, *, is_over: bool, ui_url: str) -> Message:
    """Return the message that an alert is open, or over."""
    days = [f"Days: {alert.days}"] if alert.days else []
    link = [f"Run: {ui_url.rstrip('/')}/runs/{alert.run_id}"] if alert.run_id else []
    if is_over and alert.closed_at:
        lasted = duration(alert.closed_at - alert.since)
        lines = [
            f"It is over. It lasted from {_moment(alert.since)} to {_moment(alert.closed_at)}: {lasted}.",
            f"It was: {alert.details or alert.meaning}",
            *days,
            f"To do: {_WORDS[alert.kind].afterwards}",
        ]
        return Message(f"alert-{alert.alert_id}-over", f"OVER: {alert.title}", (*lines, *link))
    lines = [
        f"What: {alert.meaning}",
        *([f"Which: {alert.details}"] if alert.details else []),
        *(f"Rule: {rule}" for rule in alert.rules[:_DETAILS_SHOWN]),
        *days,
        f"Since: {_moment(alert.since)}",
        f"Urgent: {_WORDS[alert.kind].urgency}",
        f"To do: {alert.advice}",
    ]
    return Message(f"alert-{alert.alert_id}-open", f"FAULT: {alert.title}", (*lines, *link))


def duration(lasted: timedelta) -> str:
    """Return a duration as a person says it: the two largest of days, hours and minutes."""
    minutes = max(int(lasted.total_seconds()), 0) // 60
    parts = [(minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min")]
    parts_shown = [f"{count} {unit}" for count, unit in parts if count][:2]
    return " ".join(parts_shown) or "less than a minute"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def markdown(alerts: Sequence[Alert], *, ui_url: str) -> str:
    """Return a table of open alerts for Dagster's page."""
    if not alerts:
        return "No fault is open."
    rows = [
        "| since (UTC) | fault | which | to do | run |",
        "|---|---|---|---|---|",
    ]
    for alert in alerts:
        run = f"[{alert.run_id[:8]}]({ui_url.rstrip('/')}/runs/{alert.run_id})" if alert.run_id else ""
        cells = (f"{alert.since:%Y-%m-%d %H:%M}", alert.title, alert.details or alert.meaning, alert.advice, run)
        rows.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(rows)
