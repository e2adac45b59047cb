"""One landing day's files → raw tables and ledger rows, in one transaction. What a line is worth is decided in
validation/, where its row goes first in candidates/, which of several copies is stored in resolution/.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from ingestion.deduplication import candidates
from ingestion.deduplication.resolve import resolve
from ingestion.encryption.props import PropEncryption
from ingestion.event_rules import EventRules, default_rules
from ingestion.landing import files as landing
from ingestion.landing.files import LandingError, LandingFile, LandingRoot
from ingestion.landing.reading import Reading
from ingestion.loading import load_log
from ingestion.loading.batch_validation import Rules
from ingestion.loading.row_router import Intake
from ingestion.loading.worker_pool import Judges
from ingestion.rules_digest import rules_digest
from ingestion.validation.notes import Counts, counts_of
from warehouse.window import Window

# How much smaller events are in a packed file, about.
_PACKED: Final = 6


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What the loads of one landing day came to; lines_read = accepted + rejected + duplicates + not_tracked + erased.

    Counts are of the files loaded now, in lines; files that were loaded before and have not changed are `unchanged`.
    `missing` are files of the ledger that the landing folder no longer holds; what they brought stays loaded. Those of
    them that were loaded under other rules are `outdated`: nothing can load them anew.
    """

    landing_date: date
    loaded: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    lines_read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    not_tracked: int = 0
    erased: int = 0
    late: int = 0
    event_dates: tuple[date, ...] = ()
    # Of usable events: fields that were dropped, by reason, ids that were placeholders, and ids that were hashed.
    dropped_fields: Counts = field(default_factory=dict)
    placeholder_ids: Counts = field(default_factory=dict)
    hashed_ids: Counts = field(default_factory=dict)


def load_window(
    connection: psycopg.Connection,
    *,
    root: LandingRoot | Path,
    window: Window,
    start_date: date,
    encryption: PropEncryption | None = None,
    rules: EventRules | None = None,
    on_day: Callable[[LoadReport], None] | None = None,
    tell: Callable[[str], None] | None = None,
    processes: int | None = None,
) -> list[LoadReport]:
    """Load every landing day of the window, oldest first, each in a transaction of its own.

    Lines are judged by so many `processes`, by default one for each core and at most four; 1 starts none. A
    long reading says now and then by `tell` how far it has come. Raises LandingError when a file cannot be read; the
    days before it are loaded, nothing of its own day is.
    """
    return load_days(
        connection,
        window.days(),
        root=root,
        start_date=start_date,
        encryption=encryption,
        rules=rules,
        on_day=on_day,
        tell=tell,
        processes=processes,
    )


def load_days(
    connection: psycopg.Connection,
    landing_days: Iterable[date],
    *,
    root: LandingRoot | Path,
    start_date: date,
    encryption: PropEncryption | None = None,
    rules: EventRules | None = None,
    on_day: Callable[[LoadReport], None] | None = None,
    tell: Callable[[str], None] | None = None,
    processes: int | None = None,
    is_reload: bool = False,
) -> list[LoadReport]:
    """Load these landing days in their order, each in a transaction of its own; otherwise as load_window.

    With `is_reload` a file is loaded anew too when it was loaded under other rules.
    """
    if is_reload:
        again = "and later ones keep their rows as they are. Correct the file, and ask for the reload again"
    else:
        again = "is tried again when something in its folder changes"
    reports = []
    with Judges(processes) as judges:
        for landing_date in landing_days:
            try:
                report = load_landing_day(
                    connection,
                    root=root,
                    landing_date=landing_date,
                    start_date=start_date,
                    encryption=encryption,
                    rules=rules,
                    tell=tell,
                    judges=judges,
                    is_reload=is_reload,
                )
            except LandingError as error:
                raise LandingError(f"{error}. Landing day {landing_date} {again}") from error
            if on_day:
                on_day(report)
            reports.append(report)
    return reports


def load_landing_day(
    connection: psycopg.Connection,
    *,
    root: LandingRoot | Path,
    landing_date: date,
    start_date: date,
    encryption: PropEncryption | None = None,
    rules: EventRules | None = None,
    tell: Callable[[str], None] | None = None,
    judges: Judges | None = None,
    is_reload: bool = False,
) -> LoadReport:
    """Make the files of one landing day visible in raw: all of them, with their ledger rows, or nothing.

    A file that is loaded already, by its name and checksum, changes nothing, unless this `is_reload` and it was loaded
    under other rules. A file that has changed, or is loaded anew, replaces exactly its own rows. Events before
    `start_date` are rejected; props that `encryption` names are encrypted. Lines follow `rules`, by default the seeds',
    and are judged by `judges`, otherwise in this process. Raises LandingError when a file cannot be read, WorkerFailed
    when a process of the judges ends, and ValueError inside a transaction of the caller, which could take back what is
    reported as loaded.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("a landing day is loaded in a transaction of its own: commit the connection's first")
    # Resolved here, so that worker processes follow the very lists of this process.
    rules = rules or default_rules()
    digest = rules_digest(rules=rules, start_date=start_date, encryption=encryption)
    files = landing.landing_files(root, Window.day(landing_date))
    with connection.transaction(), connection.cursor() as cursor:
        # The ledger must not say "loaded" of what a crash of the server would lose.
        cursor.execute("set local synchronous_commit = on")
        cursor.execute("set local timezone = 'UTC'")
        cursor.execute("select ops.hold_writer()")
        # Two loads of one file would each find it missing from the ledger.
        cursor.execute("lock table ops.loads in share row exclusive mode")
        loaded = load_log.current(cursor, landing_date)
        changed = [
            file
            for file in files
            if (is_reload and load_log.has_other_rules(loaded.get(file.name), digest))
            or load_log.has_changed(loaded.get(file.name), file)
        ]
        missing = sorted(loaded.keys() - {file.name for file in files})
        load_log.remember(cursor, loaded, [file for file in files if file not in changed])
        report = LoadReport(
            landing_date,
            loaded=tuple(file.name for file in changed),
            unchanged=tuple(file.name for file in files if file not in changed),
            missing=tuple(missing),
            outdated=tuple(name for name in missing if load_log.has_other_rules(loaded[name], digest)),
        )
        if not changed:
            return report
        cursor.execute("select nextval('ops.change_id_seq')")
        (change_id,) = cursor.fetchone() or (0,)
        cursor.execute(candidates.CREATE)
        judges = judges or Judges(processes=1)
        judges.follow(Rules(landing_date, start_date, encryption, rules), sum(map(_unpacked_bytes, changed)))
        intake = Intake(cursor)
        readings = {}
        previous_loads = {}
        for file in changed:
            previous = loaded[file.name].load_id if file.name in loaded else None
            load_id = load_log.enter(cursor, file, change_id, previous, rules_digest=digest)
            readings[load_id] = Reading(file, tell=tell)
            previous_loads[load_id] = previous
        # A file that turns out to have changed after its last line takes the rows of its whole landing day back.
        portions = ((load_id, portion) for load_id, reading in readings.items() for portion in reading)
        with closing(judges.judge(portions)) as all_judged:
            for judged in all_judged:
                intake.take(judged)
        placed = intake.finish_days()
        for judged in judges.examined():
            intake.take(judged)
        intake.finish()
        for load_id, reading in readings.items():
            tally = intake.tallies[load_id]
            load_log.count(cursor, load_id, previous_loads[load_id], reading.checksum, tally, landing_date)
        resolve(
            cursor,
            change_id=change_id,
            replaced=[previous for previous in previous_loads.values() if previous is not None],
            fresh=list(readings),
            placed=placed,
            crowded_dates=intake.crowded_dates(),
        )
        return _completed(cursor, report, list(readings))


def _unpacked_bytes(file: LandingFile) -> int:
    """About how many bytes of lines a file holds."""
    return file.size if file.name.endswith((".ndjson", ".json")) else file.size * _PACKED


def _completed(cursor: psycopg.Cursor, report: LoadReport, load_ids: Sequence[int]) -> LoadReport:
    counts = ("lines_read", "accepted", "rejected", "duplicates", "not_tracked", "erased", "late")
    sums = ", ".join(f"sum({count})::bigint" for count in counts)
    cursor.execute(f"select {sums} from ops.loads where load_id = any(%s)", [load_ids])
    totals = dict(zip(counts, cursor.fetchone() or (), strict=True))
    event_dates = tuple(sorted(load_log.event_dates(cursor, load_ids)))
    notes = counts_of(load_log.notes_in(cursor, load_ids))
    return replace(
        report,
        **totals,
        event_dates=event_dates,
        dropped_fields=notes["dropped_fields"],
        placeholder_ids=notes["placeholder_ids"],
        hashed_ids=notes["hashed_ids"],
    )
