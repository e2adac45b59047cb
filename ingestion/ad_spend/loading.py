"""Ad spend files → raw.ad_spend, in one transaction. What a file may hold is in files.py.

Rows of one file with the same day and names, such as ad groups of a campaign, all stand and are added up by the models.
Where several files have a day and names, those of the file with the greater name stand; the others wait in
raw.duplicate_ad_spend (settling.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from ingestion.ad_spend.csv_files import (
    AdSpendFile,
    AdSpendRow,
    RejectedRow,
    Unusable,
    ad_spend_files,
    read_content,
    read_rows,
)
from ingestion.ad_spend.schema import COLUMN_NAMES
from ingestion.ad_spend.spend_ranking import CREATE_INCOMING, next_change_id, settle
from ingestion.event_rules import EventRules, default_rules
from ingestion.landing.files import LandingRoot
from ingestion.redaction.redactor import Redactor, redactor_for
from ingestion.rules_digest import spend_rules_digest
from ingestion.utm_normalization import normalized_name, normalized_source

_COLUMNS: Final = ", ".join(COLUMN_NAMES)


@dataclass(frozen=True, slots=True)
class AdSpendReport:
    """What a load did. Counts are of the files loaded now, in rows; rows_read = accepted + rejected + duplicates.

    `refused` are files that cannot be used, with the reason; the version of them that was loaded before stands.
    `missing` are files that were loaded and are gone; what they brought stands too.
    """

    loaded: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    rows_read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0


def load_ad_spend(
    connection: psycopg.Connection, *, root: LandingRoot | Path, rules: EventRules | None = None
) -> AdSpendReport:
    """Load every file that is new or has changed: all of them, with their ledger rows, or nothing.

    A changed file replaces exactly its own rows. So does a file that was loaded under other rules, since all are
    read anyway. Names are redacted by `rules`, by default the seeds', as visits are. Days that have been built and
    whose spend is another now become stale. A file that cannot be used is refused, and the others are loaded. Raises
    ValueError inside a transaction of the caller, which could take back what is reported as loaded.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("ad spend is loaded in a transaction of its own: commit the connection's first")
    files, refused = ad_spend_files(root)
    rules = rules or default_rules()
    redactor, digest = redactor_for(rules), spend_rules_digest(rules)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("set local synchronous_commit = on")
        cursor.execute("select ops.assert_writer()")
        # Two loads of one file would each find it missing from the ledger.
        cursor.execute("lock table ops.ad_spend_loads in share row exclusive mode")
        cursor.execute("select file, load_id, checksum, rules_digest from ops.ad_spend_loads where replaced_by is null")
        ledger = {file: (load_id, (checksum, rules_digest)) for file, load_id, checksum, rules_digest in cursor}
        cursor.execute(CREATE_INCOMING)
        change_id: int | None = None
        loaded: dict[str, int] = {}
        replaced: list[int] = []
        unchanged = []
        for file in files:
            try:
                text, checksum = read_content(file)
                load_id, loaded_as = ledger.get(file.name, (None, None))
                if loaded_as == (checksum, digest):
                    unchanged.append(file.name)
                    continue
                rows = list(read_rows(file.name, text, redactor.text))
            except Unusable as reason:
                refused[file.name] = str(reason)
                continue
            change_id = change_id or next_change_id(cursor)
            loaded[file.name] = _enter(cursor, file, (checksum, digest), change_id, load_id, rows, redactor)
            if load_id is not None:
                replaced.append(load_id)
        if loaded:
            settle(cursor, replaced=replaced, change_id=change_id)
        counts = cursor.execute(
            "select coalesce(sum(rows_read), 0)::bigint, coalesce(sum(accepted), 0)::bigint,"
            " coalesce(sum(rejected), 0)::bigint, coalesce(sum(duplicates), 0)::bigint"
            " from ops.ad_spend_loads where load_id = any(%s)",
            [list(loaded.values())],
        ).fetchone()
    present = {file.name for file in files}
    return AdSpendReport(
        tuple(loaded), tuple(unchanged), tuple(sorted(ledger.keys() - present)), refused, *(counts or ())
    )


def _enter(
    cursor: psycopg.Cursor,
    file: AdSpendFile,
    loaded_as: tuple[str, str],
    change_id: int,
    previous: int | None,
    rows: Sequence[tuple[int, AdSpendRow] | RejectedRow],
    redactor: Redactor,
) -> int:
    """Enter a file in the ledger, with its checksum and the digest of the rules, and send its rows to the server.

    Returns its load id.
    """
    if previous is not None:
        # The file's place as the loaded version is free before the new version takes it.
        cursor.execute("update ops.ad_spend_loads set replaced_by = load_id where load_id = %s", [previous])
    good = [row for row in rows if not isinstance(row, RejectedRow)]
    rejected = [row for row in rows if isinstance(row, RejectedRow)]
    (load_id,) = cursor.execute(
        "insert into ops.ad_spend_loads (change_id, file, checksum, rules_digest, rows_read, accepted, rejected,"
        " duplicates) values (%s, %s, %s, %s, %s, 0, %s, 0) returning load_id",
        [change_id, file.name, *loaded_as, len(rows), len(rejected)],
    ).fetchone() or (0,)
    if previous is not None:
        cursor.execute("update ops.ad_spend_loads set replaced_by = %s where load_id = %s", [load_id, previous])
    with cursor.copy(f"copy incoming ({_COLUMNS}, load_id, line_number) from stdin") as copy:
        for line_number, row in good:
            copy.write_row((*_stored(row, redactor), load_id, line_number))
    with cursor.copy("copy raw.rejected_ad_spend (line_number, line, reasons, load_id) from stdin") as copy:
        for line_number, line, reasons in rejected:
            copy.write_row((line_number, line, list(reasons), load_id))
    return int(load_id)


def _stored(row: AdSpendRow, redactor: Redactor) -> tuple[object, ...]:
    """Return the stored values of a row, in the order of schema.COLUMN_NAMES."""
    source, medium, campaign = (
        None if text is None else redactor.text(text) for text in (row.utm_source, row.utm_medium, row.utm_campaign)
    )
    redact = redactor.short_text
    forms = (normalized_source(source, redact), normalized_name(medium, redact), normalized_name(campaign, redact))
    return (row.date, row.channel, *forms, source, medium, campaign, row.cost_cents, row.impressions, row.clicks)


def rejected_rows(connection: psycopg.Connection) -> dict[str, int]:
    """The number of rejected rows in the loaded version of each file that has any, by file."""
    return dict(
        connection.execute(
            "select file, rejected from ops.ad_spend_loads where replaced_by is null and rejected > 0 order by file"
        ).fetchall()
    )


def row_count(connection: psycopg.Connection) -> int:
    """The number of rows of raw.ad_spend."""
    (rows,) = connection.execute("select count(*) from raw.ad_spend").fetchone() or (0,)
    return int(rows)
