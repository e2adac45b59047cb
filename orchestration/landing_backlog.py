"""One look at the landing folder: its files beside the ledger, and why those wait that a run has not loaded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import dagster as dg
import psycopg

from ingestion.landing.files import LandingError, LandingFile, LandingRoot, landing_days, scan_landing_day
from ingestion.landing.storage import StoredEntry
from ingestion.loading import load_log
from orchestration.landing_sensor import Found, Memory, Request, older_days
from publishing import stale_days
from warehouse.window import Window

# A file that lies there otherwise than the ledger has it may have been touched only. Its bytes are read to tell, so
# many at a look: a sensor has a minute, and from far away 256 MB take some seconds.
BYTES_A_LOOK: Final = 268_435_456
_SHOWN_CHARACTERS: Final = 600
_SAME, _OTHER = "same", "other"


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found, and what the next look has to know.

    Attributes:
        found: The files that wait, and what else lies there.
        older: The last of the older landing days that was looked at.
        compared: The files whose bytes were compared with the loaded ones: how both looked, and what came of it.
    """

    found: Found
    older: date | None
    compared: Mapping[str, str]


def look_at(
    connection: psycopg.Connection, root: LandingRoot, latest: Window, first_day: date, before: Memory
) -> Looked:
    """Look into the folders of the latest days and of the next older ones. Raises LandingError."""
    days_with_folder, beside = landing_days(root)
    older = older_days(days_with_folder, latest, first_day, before.older)
    days = [*latest.days(), *older]
    # A day whose folder is gone has no turn of its own, and waits no longer.
    waiting_days = before.waiting_days() | stale_days.waiting_days(connection)
    days += sorted(waiting_days.difference(days_with_folder, days))
    files: list[LandingFile] = []
    others: dict[date, Sequence[StoredEntry]] = {}
    for day in days:
        found, foreign = scan_landing_day(root, day)
        files += found
        # What lies beside the folders of days keeps every day from being loaded.
        others[day] = [*foreign, *beside]
    waiting, compared = _not_loaded(connection, files, days, before)
    return Looked(Found(waiting, others, frozenset(days)), older[-1] if older else None, compared)


def _not_loaded(
    connection: psycopg.Connection, files: Sequence[LandingFile], days: Sequence[date], before: Memory
) -> tuple[list[LandingFile], dict[str, str]]:
    """Leave out the files that are loaded as they are, also those that were only touched."""
    with connection.cursor() as cursor:
        loaded = {name: entry for day in days for name, entry in load_log.current(cursor, day).items()}
    waiting: list[LandingFile] = []
    touched: list[LandingFile] = []
    compared: dict[str, str] = {}
    budget = BYTES_A_LOOK
    for file in files:
        entry = loaded.get(file.name)
        if entry is not None and load_log.has_same_version(entry, file):
            continue
        if entry is None or entry.file_bytes != file.size:
            waiting.append(file)
            continue
        pair = f"{file.entry.version} {entry.checksum}"
        verdict = before.compared.get(file.name, "").removeprefix(f"{pair} ")
        if verdict not in (_SAME, _OTHER):
            # A file that looks otherwise than at the last look may still be growing; one beyond the budget has its turn
            # at the next look.
            if before.waiting.get(file.name) != file.entry.version or budget <= 0:
                waiting.append(file)
                continue
            budget -= file.size
            verdict = _OTHER if _is_other(entry, file) else _SAME
        compared[file.name] = f"{pair} {verdict}"
        (waiting if verdict == _OTHER else touched).append(file)
    if touched:
        _remember(connection, loaded, touched)
    return waiting, compared


def _is_other(entry: load_log.LoadedVersion, file: LandingFile) -> bool:
    try:
        return load_log.has_changed(entry, file)
    except LandingError:
        # Its run says what is the matter.
        return True


def _remember(
    connection: psycopg.Connection, loaded: Mapping[str, load_log.LoadedVersion], files: Sequence[LandingFile]
) -> None:
    """Have the ledger know how files look now; while a load holds it, the next look finds the same again."""
    try:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("set local lock_timeout = '1s'")
            load_log.save_file_versions(cursor, loaded, files)
    except psycopg.errors.LockNotAvailable:
        return


def tell_waiting(
    connection: psycopg.Connection,
    found: Found,
    requests: Mapping[date, Request],
    reason_of: Callable[[Request], str | None],
) -> list[str]:
    """Record in ops.waiting_files which files no run has loaded, and why; a sentence a landing day."""
    rows, sentences = [], []
    for day in sorted({file.landing_date for file in found.files}):
        reason = reason_of(requests[day]) if day in requests else None
        if reason is None:
            continue
        names = [file.name for file in found.files if file.landing_date == day]
        foreign = "".join(
            f"; {entry.name} lies there too and is no landing file" for entry in found.others.get(day, ())
        )
        text = (
            f"{names[0]}{f' and {len(names) - 1} more files wait' if len(names) > 1 else ' waits'}: {reason}{foreign}."
            " Correct, move or remove what the message names; the day is run as soon as its folder has changed, and"
            " once an hour"
        )
        sentences.append(text)
        rows += [(name, day, text) for name in names]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "delete from ops.waiting_files where landing_date = any(%s) and not file = any(%s)",
            [sorted(found.days), [name for name, _, _ in rows]],
        )
        cursor.executemany(
            "insert into ops.waiting_files (file, landing_date, reason) values (%s, %s, %s)"
            " on conflict (file) do update set reason = excluded.reason",
            rows,
        )
    return sentences


def reason_from_runs(instance: dg.DagsterInstance, request: Request) -> str | None:
    """Tell why the run that was asked for has not loaded its files; None while it may still do so."""
    runs = instance.get_runs(dg.RunsFilter(tags={"dagster/run_key": request.run_key}), limit=1)
    if not runs:
        return f"the run that was asked for ({request.run_key}) has not loaded it, and is no longer on record"
    run = runs[0]
    if not run.is_finished:
        return None
    if run.status is not dg.DagsterRunStatus.FAILURE:
        return f"run {run.run_id} has ended without loading it"
    failures = instance.all_logs(
        run.run_id, of_type={dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    )
    messages = [text for entry in failures if (text := _message(entry))]
    told = " ".join((messages[0] if messages else "for a reason that its log tells").split())
    return f"run {run.run_id} failed: {told[:_SHOWN_CHARACTERS]}"


def _message(entry: dg.EventLogEntry) -> str | None:
    event = entry.dagster_event
    if event is None:
        return None
    if event.is_step_failure:
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            return data.user_failure_data.description
        return data.error.message if data.error else None
    return event.message
