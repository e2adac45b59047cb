"""Deletion of the landing files of sealed days. Their counts stay in the ledger, and nothing misses the files."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

import psycopg

from ingestion.landing.files import LandingError, LandingRoot, landing_days, scan_landing_day
from ingestion.landing.storage import StorageError
from ingestion.loading import load_log

# Landing days all of whose events are of sealed days: a file may be needed again while one of its days may change.
_DONE: Final = """
select landing_date from ops.loads
where landing_date = any(%s) and replaced_by is null
group by landing_date
having bool_and(not exists (select from unnest(event_dates) as day where day >= ops.sealed_before()))
"""


@dataclass(frozen=True, slots=True)
class Removed:
    """Numbers of the deleted files and their bytes, and of files that stay because the ledger does not have them."""

    files: int = 0
    file_bytes: int = 0
    kept: int = 0


def remove_files(
    connection: psycopg.Connection, root: LandingRoot, *, before: date, log: Callable[[str], None]
) -> Removed:
    """Delete the files of landing days before `before` whose events are all of sealed days.

    Only files whose present content is the loaded one are deleted. Stopping at any point loses nothing: the next call
    does the rest.

    Raises:
        LandingError: A folder cannot be listed, or a file cannot be read or deleted.
    """
    with_folder = [day for day in landing_days(root)[0] if day < before]
    done = [day for (day,) in connection.execute(_DONE, [with_folder]).fetchall()]
    files = file_bytes = kept = 0
    for day in sorted(done):
        with connection.cursor() as cursor:
            loaded = load_log.current(cursor, day)
        for file in scan_landing_day(root, day)[0]:
            if load_log.has_changed(loaded.get(file.name), file):
                kept += 1
                continue
            try:
                file.storage.delete(file.name)
            except StorageError as error:
                raise LandingError(
                    f"{file.location} cannot be deleted ({error}): give the account that runs Dagster the right to"
                    " delete landing files, or unset WAREHOUSE_RETENTION_LANDING"
                ) from error
            files += 1
            file_bytes += file.size
    if files:
        log(f"{files:,} landing files of days before {before} are deleted")
    return Removed(files, file_bytes, kept)
