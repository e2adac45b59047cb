"""Backlog of landing files: a look at the folder beside the ledger, and the reasons why files wait."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import dagster as dg
import psycopg

from ingestion.landing.files import LandingError, LandingFile, LandingRoot, landing_days, scan_landing_day
from ingestion.landing.storage import StoredEntry
from ingestion.loading import load_log
from orchestration.landing_sensor import Found, Request, SensorState, older_days
from warehouse import retention
from warehouse.upserts import upsert
from warehouse.window import Window

# A file that looks different from the ledger may only have been touched. Comparing reads its bytes, at most this many a
# look: a sensor has a minute, and reading 256 MB from an object store takes some seconds.
BYTES_A_LOOK: Final = 268_435_456
_SHOWN_CHARACTERS: Final = 600
_SAME, _OTHER = "same", "other"
_SEALED: Final = (
    "its landing day is sealed (older than WAREHOUSE_RETENTION_DAYS), so that it is not loaded any more. Move it to the"
    " folder of a later day if it has events of days that are not sealed; else remove it"
)


@dataclass(frozen=True, slots=True)
class Looked:
    """Result of a look: the files found, and the state for the next look, as in SensorState."""

    found: Found
    older: date | None
    compared: Mapping[str, str]


def look_at(
    connection: psycopg.Connection, root: LandingRoot, latest: Window, first_day: date, before: SensorState
) -> Looked:
    """Look into the folders of the latest days and of the next older ones. Raises LandingError."""
    days_with_folder, beside = landing_days(root)
    older = older_days(days_with_folder, latest, first_day, before.older)
    days = [*latest.days(), *older]
    # A day whose folder was deleted is not among the older days; its files wait no longer.
    recorded = {day for (day,) in connection.execute("select landing_date from ops.waiting_files")}
    waiting_days = before.waiting_days() | recorded
    days += sorted(waiting_days.difference(days_with_folder, days))
    files: list[LandingFile] = []
    others: dict[date, Sequence[StoredEntry]] = {}
    for day in days:
        found, foreign = scan_landing_day(root, day)
        files += found
        # An entry beside the folders of days keeps every day from being loaded.
        others[day] = [*foreign, *beside]
    waiting, compared = _not_loaded(connection, files, days, before)
    first_unsealed = retention.sealed_before(connection) or date.min
    sealed = [file for file in waiting if file.landing_date < first_unsealed]
    open_files = [file for file in waiting if file.landing_date >= first_unsealed]
    return Looked(Found(open_files, others, frozenset(days), sealed), older[-1] if older else None, compared)


def _not_loaded(
    connection: psycopg.Connection, files: Sequence[LandingFile], days: Sequence[date], before: SensorState
) -> tuple[list[LandingFile], dict[str, str]]:
    """Leave out files whose present content is loaded, also files that were only touched."""
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
        result = before.compared.get(file.name, "").removeprefix(f"{pair} ")
        if result not in (_SAME, _OTHER):
            # A file that has changed since the last look may still be growing. A file beyond the budget waits for the
            # next look.
            if before.waiting.get(file.name) != file.entry.version or budget <= 0:
                waiting.append(file)
                continue
            budget -= file.size
            result = _OTHER if _is_other(entry, file) else _SAME
        compared[file.name] = f"{pair} {result}"
        (waiting if result == _OTHER else touched).append(file)
    if touched:
        _save_versions(connection, loaded, touched)
    return waiting, compared


def _is_other(entry: load_log.LoadedVersion, file: LandingFile) -> bool:
    try:
        return load_log.has_changed(entry, file)
    except LandingError:
        # The run of the day reports the error.
        return True


def _save_versions(
    connection: psycopg.Connection, loaded: Mapping[str, load_log.LoadedVersion], files: Sequence[LandingFile]
) -> None:
    """Save the present versions of files in the ledger. While a load holds it, the next look finds them again."""
    try:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("set local lock_timeout = '1s'")
            load_log.save_file_versions(cursor, loaded, files)
    except psycopg.errors.LockNotAvailable:
        return


def record_waiting(
    connection: psycopg.Connection,
    found: Found,
    requests: Mapping[date, Request],
    reason_of: Callable[[Request], str | None],
) -> list[str]:
    """Record in ops.waiting_files the files that no run has loaded, and why. Returns a sentence a landing day."""
    rows = [(file.name, file.landing_date, _SEALED) for file in found.sealed]
    sentences = [f"{len(found.sealed)} files of sealed days are not loaded"] if found.sealed else []
    for day in sorted({file.landing_date for file in found.files}):
        reason = reason_of(requests[day]) if day in requests else None
        if reason is None:
            continue
        names = [file.name for file in found.files if file.landing_date == day]
        foreign = "".join(
            f"; {entry.name} is in the folder too and is no landing file" for entry in found.others.get(day, ())
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
        cursor.executemany(upsert("ops.waiting_files", ["file"], ["landing_date", "reason"]), rows)
    return sentences


def reason_from_runs(instance: dg.DagsterInstance, request: Request) -> str | None:
    """Return why the requested run has not loaded its files; None while it may still do so."""
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
    reason = " ".join((messages[0] if messages else "see its log").split())
    return f"run {run.run_id} failed: {reason[:_SHOWN_CHARACTERS]}"


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
