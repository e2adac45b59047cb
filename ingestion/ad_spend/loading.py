"""Load of ad spend files into raw.ad_spend, in one transaction. csv_files.py finds the files, csv_rows.py parses them.

Rows of one file with equal day and names, such as ad groups of a campaign, are all stored; models add them up. Where
several files have a day and names, the file with the greatest name counts. Rows of the others are kept in
raw.duplicate_ad_spend (spend_ranking.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from ingestion.ad_spend.csv_files import AdSpendFile, ad_spend_files, read_content
from ingestion.ad_spend.csv_rows import AdSpendRow, RejectedRow, UnusableFile, read_rows
from ingestion.ad_spend.schema import COLUMN_NAMES
from ingestion.ad_spend.spend_ranking import CREATE_INCOMING, rank_days
from ingestion.landing.files import LandingRoot
from ingestion.redaction.redactor import Redactor, redactor_for
from ingestion.rules_digest import spend_rules_digest
from ingestion.utm_normalization import normalized_name, normalized_source
from ingestion.validation_lists import EventRules, default_rules
from warehouse.change_queues import next_change_id
from warehouse.single_values import value_of

_COLUMNS: Final = ", ".join(COLUMN_NAMES)


@dataclass(frozen=True, slots=True)
class AdSpendReport:
    """Result of a load. Counts are rows of the files loaded now; rows_read = accepted + rejected + duplicates.

    Loaded files that are missing now keep their rows. Unusable files have their reason; rows of their previous version
    stay.
    """

    loaded: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unusable: dict[str, str] = field(default_factory=dict)
    rows_read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0


def load_ad_spend(
    connection: psycopg.Connection, *, root: LandingRoot | Path, rules: EventRules | None = None
) -> AdSpendReport:
    """Load every new or changed file, all in one transaction with their rows of the load log.

    A changed file replaces exactly its own rows, and so does a file that was loaded under other rules. Names are
    redacted by `rules`, by default the seeds', as those of visits are. Built days whose spend changes become stale. An
    unusable file is reported, and the others are loaded. Raises ValueError inside a transaction of the caller: its
    rollback would undo loads that were reported.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("ad spend is loaded in a transaction of its own: commit the connection's first")
    files, unusable = ad_spend_files(root)
    rules = rules or default_rules()
    redactor, digest = redactor_for(rules), spend_rules_digest(rules)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("set local synchronous_commit = on")
        cursor.execute("select ops.assert_writer()")
        # Without the lock, two loads at once would both insert a new file.
        cursor.execute("lock table ops.ad_spend_loads in share row exclusive mode")
        cursor.execute("select file, load_id, checksum, rules_digest from ops.ad_spend_loads where replaced_by is null")
        current = {file: (load_id, (checksum, rules_digest)) for file, load_id, checksum, rules_digest in cursor}
        cursor.execute(CREATE_INCOMING)
        change_id: int | None = None
        loaded: dict[str, int] = {}
        replaced: list[int] = []
        unchanged = []
        for file in files:
            try:
                text, checksum = read_content(file)
                load_id, loaded_as = current.get(file.name, (None, None))
                if loaded_as == (checksum, digest):
                    unchanged.append(file.name)
                    continue
                rows = list(read_rows(file.name, text, redactor.text))
            except UnusableFile as reason:
                unusable[file.name] = str(reason)
                continue
            change_id = change_id or next_change_id(cursor)
            loaded[file.name] = _insert_load(cursor, file, (checksum, digest), change_id, load_id, rows, redactor)
            if load_id is not None:
                replaced.append(load_id)
        if loaded:
            rank_days(cursor, replaced=replaced, change_id=change_id)
        counts = cursor.execute(
            "select coalesce(sum(rows_read), 0)::bigint, coalesce(sum(accepted), 0)::bigint,"
            " coalesce(sum(rejected), 0)::bigint, coalesce(sum(duplicates), 0)::bigint"
            " from ops.ad_spend_loads where load_id = any(%s)",
            [list(loaded.values())],
        ).fetchone()
    present = {file.name for file in files}
    return AdSpendReport(
        tuple(loaded), tuple(unchanged), tuple(sorted(current.keys() - present)), unusable, *(counts or ())
    )


def _insert_load(
    cursor: psycopg.Cursor,
    file: AdSpendFile,
    loaded_as: tuple[str, str],
    change_id: int,
    previous: int | None,
    rows: Sequence[tuple[int, AdSpendRow] | RejectedRow],
    redactor: Redactor,
) -> int:
    """Insert a file into the load log, and its rows into the temporary table. Returns the id of the load.

    `loaded_as` is its checksum and the digest of the rules.
    """
    if previous is not None:
        # A unique index allows one current load a file: the previous one is marked before the insert.
        cursor.execute("update ops.ad_spend_loads set replaced_by = load_id where load_id = %s", [previous])
    good = [row for row in rows if not isinstance(row, RejectedRow)]
    rejected = [row for row in rows if isinstance(row, RejectedRow)]
    load_id = value_of(
        cursor,
        "insert into ops.ad_spend_loads (change_id, file, checksum, rules_digest, rows_read, accepted, rejected,"
        " duplicates) values (%s, %s, %s, %s, %s, 0, %s, 0) returning load_id",
        [change_id, file.name, *loaded_as, len(rows), len(rejected)],
    )
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
    """Return the number of rejected rows of each loaded file that has any."""
    return dict(
        connection.execute(
            "select file, rejected from ops.ad_spend_loads where replaced_by is null and rejected > 0 order by file"
        ).fetchall()
    )


def row_count(connection: psycopg.Connection) -> int:
    """Return the number of rows of raw.ad_spend."""
    return int(value_of(connection, "select count(*) from raw.ad_spend"))
