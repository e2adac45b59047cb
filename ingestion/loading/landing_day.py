"""Loading of landing days: the files of one day go to schema raw and ops.loads in one transaction.

`ingestion.validation` decides on each line, `row_router` where its row is copied first, and `ingestion.deduplication`
which of several copies is stored.
"""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final, Required, TypedDict, Unpack

import psycopg
from psycopg.pq import TransactionStatus

from ingestion.deduplication import candidates
from ingestion.deduplication.resolve import resolve
from ingestion.encryption.props import PropEncryption
from ingestion.landing import files as landing
from ingestion.landing.files import LandingError, LandingFile, LandingRoot, UnloadableDay
from ingestion.landing.reading import LineReader
from ingestion.loading import load_log
from ingestion.loading.batch_validation import ValidationSettings
from ingestion.loading.load_report import LoadReport as LoadReport
from ingestion.loading.load_report import with_counts
from ingestion.loading.row_router import RowRouter
from ingestion.loading.worker_pool import ValidationPool
from ingestion.rules_digest import rules_digest
from ingestion.subjects.erased_lines import editor_of_erased_ids
from ingestion.subjects.landing_files import rewrite_file
from ingestion.subjects.stored_ids import load_erased_ids
from ingestion.validation_lists import EventRules, default_rules
from warehouse import retention
from warehouse.change_queues import next_change_id
from warehouse.window import Window

# Events shrink to about a sixth in compressed files and in Parquet.
_COMPRESSION: Final = 6


class DayOptions(TypedDict, total=False):
    """Options of the load of a landing day: the landing root, or a local folder, and the rules for lines."""

    root: Required[LandingRoot | Path]
    # The first event day; earlier events are rejected.
    start_date: Required[date]
    # By default no props are encrypted, and the lists are those of the seeds.
    encryption: PropEncryption | None
    rules: EventRules | None
    # WAREHOUSE_ERASURE_KEY, by which erased persons are recognised. Needed as soon as there are any.
    erasure_key: str
    # Called now and then with a sentence on how far a long file has been read.
    on_progress: Callable[[str], None] | None


class LoadOptions(DayOptions, total=False):
    """Options of the load of several landing days."""

    # Called with the report of each landing day.
    on_day: Callable[[LoadReport], None] | None
    # Worker processes; by default one for each core, at most four. 1 starts none.
    processes: int | None


def load_window(connection: psycopg.Connection, *, window: Window, **options: Unpack[LoadOptions]) -> list[LoadReport]:
    """Load every landing day of the window, oldest first, each in a transaction of its own.

    Raises UnloadableDay when a file cannot be read. The days before are loaded, and nothing of its own day.
    """
    return load_days(connection, window.days(), **options)


def load_days(
    connection: psycopg.Connection,
    landing_days: Iterable[date],
    *,
    on_day: Callable[[LoadReport], None] | None = None,
    processes: int | None = None,
    is_reload: bool = False,
    **options: Unpack[DayOptions],
) -> list[LoadReport]:
    """Load these landing days in their order, each in a transaction of its own. Otherwise as load_window.

    With `is_reload` a file is also loaded again when it was loaded under other rules.
    """
    if is_reload:
        again = "and later ones keep their rows as they are. Correct the file, and ask for the reload again"
    else:
        again = "is tried again when something in its folder changes"
    reports = []
    with ValidationPool(processes) as pool:
        for landing_date in landing_days:
            try:
                report = load_landing_day(
                    connection, landing_date=landing_date, pool=pool, is_reload=is_reload, **options
                )
            except LandingError as error:
                raise UnloadableDay(f"{error}. Landing day {landing_date} {again}", landing_date) from error
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
    erasure_key: str = "",
    on_progress: Callable[[str], None] | None = None,
    pool: ValidationPool | None = None,
    is_reload: bool = False,
) -> LoadReport:
    """Load all files of one landing day with their rows of ops.loads, or nothing.

    Files of a sealed landing day are not loaded any more. Rows of sealed days stay, whatever file they came from.
    A file that is loaded already, by name and checksum, changes nothing. With `is_reload` it is loaded again if it was
    loaded under other rules. A changed file replaces exactly its own rows. Other arguments as in DayOptions; without a
    `pool` lines are validated in this process.

    Events of erased persons are left out and counted. Afterwards their lines are erased from the files.

    Raises:
        ErasureKeyMissing: Persons were erased, and the key to recognise them is missing.
        LandingError: A file cannot be read.
        WorkerFailed: A worker of the pool ended.
        ValueError: The connection is in a transaction, whose rollback would undo what is reported as loaded.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("a landing day is loaded in a transaction of its own: commit the connection's first")
    # Resolved here, so that workers use the lists of this process.
    rules = rules or default_rules()
    digest = rules_digest(rules=rules, start_date=start_date, encryption=encryption)
    with connection.transaction(), connection.cursor() as cursor:
        sealed_before = retention.sealed_before(cursor)
    if sealed_before is not None and landing_date < sealed_before:
        return LoadReport(landing_date, is_sealed=True)
    files = landing.landing_files(root, Window.day(landing_date))
    with connection.transaction(), connection.cursor() as cursor:
        # ops.loads must not say "loaded" of rows that a crash of the server would lose.
        cursor.execute("set local synchronous_commit = on")
        cursor.execute("set local timezone = 'UTC'")
        cursor.execute("select ops.assert_writer()")
        # Two loads of one file would each find it missing from ops.loads.
        cursor.execute("lock table ops.loads in share row exclusive mode")
        loaded = load_log.current(cursor, landing_date)
        changed = [
            file
            for file in files
            if (is_reload and load_log.has_other_rules(loaded.get(file.name), digest))
            or load_log.has_changed(loaded.get(file.name), file)
        ]
        missing = sorted(loaded.keys() - {file.name for file in files})
        load_log.save_file_versions(cursor, loaded, [file for file in files if file not in changed])
        report = LoadReport(
            landing_date,
            loaded=tuple(file.name for file in changed),
            unchanged=tuple(file.name for file in files if file not in changed),
            missing=tuple(missing),
            outdated=tuple(name for name in missing if load_log.has_other_rules(loaded[name], digest)),
        )
        if not changed:
            return report
        change_id = next_change_id(cursor)
        cursor.execute(candidates.CREATE)
        pool = pool or ValidationPool(processes=1)
        erased_ids = load_erased_ids(cursor, erasure_key)
        settings = ValidationSettings(landing_date, start_date, encryption, rules, sealed_before, erased_ids)
        pool.configure(settings, sum(map(_expected_bytes, changed)))
        router = RowRouter(cursor)
        readings = {}
        previous_loads = {}
        for file in changed:
            previous = loaded[file.name].load_id if file.name in loaded else None
            load_id = load_log.insert_load(cursor, file, change_id, previous, rules_digest=digest)
            readings[load_id] = LineReader(file, on_progress=on_progress)
            previous_loads[load_id] = previous
        # A file that turns out to have changed after its last line rolls the whole landing day back.
        batches = ((load_id, batch) for load_id, reading in readings.items() for batch in reading)
        with closing(pool.validate(batches)) as results:
            for result in results:
                router.route(result)
        rows_copied_directly = router.attach_partitions()
        for load_id, reading in readings.items():
            tally = router.tallies[load_id]
            load_log.update_counts(cursor, load_id, previous_loads[load_id], reading.checksum, tally, landing_date)
        resolve(
            cursor,
            change_id=change_id,
            replaced=[previous for previous in previous_loads.values() if previous is not None],
            new_load_ids=list(readings),
            rows_copied_directly=rows_copied_directly,
            dates_over_limit=router.dates_over_limit(),
        )
        # The workers explain these lines while Postgres builds indexes and deduplicates.
        for result in pool.drain_deferred():
            router.route(result)
            load_log.add_rejections(cursor, result)
        router.flush()
        report = with_counts(cursor, report, list(readings))
        naming_erased = {load_id for load_id, tally in router.tallies.items() if tally.erased or tally.mentions}
    if erased_ids is None or not naming_erased:
        return report
    editor = editor_of_erased_ids(erased_ids, hash_key=rules.hash_key, landing_date=landing_date)
    kept = []
    for load_id, file in zip(readings, changed, strict=True):
        if load_id in naming_erased:
            try:
                rewrite_file(connection, file, editor.edit)
            except LandingError as error:
                kept.append(str(error))
    return replace(report, not_rewritten=tuple(kept))


def _expected_bytes(file: LandingFile) -> int:
    """Estimate the bytes of a file's lines."""
    return file.size if file.name.endswith((".ndjson", ".json")) else file.size * _COMPRESSION
