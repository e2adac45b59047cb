"""Ad spend files → raw.ad_spend, one row a key, in one transaction. What a file may hold is in files.py.

Of several rows of one key, the one in the file with the greater name stands, and in one file the later one; the others
wait in raw.duplicate_ad_spend. So the outcome depends on the files and not on the order in which they came.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from ingestion.ad_spend.files import (
    COLUMNS,
    AdSpendFile,
    AdSpendRow,
    RejectedRow,
    Unusable,
    ad_spend_files,
    read_content,
    read_rows,
)
from ingestion.ad_spend.schema import COLUMN_NAMES, KEY_COLUMN_NAMES
from ingestion.landing.files import LandingRoot

_COLUMNS: Final = ", ".join(COLUMN_NAMES)
_KEY: Final = ", ".join(KEY_COLUMN_NAMES)
_CREATE_INCOMING: Final = "create temporary table incoming (like raw.duplicate_ad_spend) on commit drop"

# Days are settled whole: all that is known of a touched day is taken up, ranked anew, and put back.
_SETTLE: Final = (
    """
    create temporary table touched on commit drop as
    select spend_date from incoming
    union
    select spend_date from raw.ad_spend where load_id = any(%(replaced)s)
    union
    select spend_date from raw.duplicate_ad_spend where load_id = any(%(replaced)s)
    """,
    f"""
    create temporary table before on commit drop as
    select {_COLUMNS} from raw.ad_spend where spend_date in (select spend_date from touched)
    """,
    f"""
    with taken as (
        delete from raw.ad_spend where spend_date in (select spend_date from touched) returning *
    ),
    taken_duplicates as (
        delete from raw.duplicate_ad_spend where spend_date in (select spend_date from touched) returning *
    )
    insert into incoming ({_COLUMNS}, load_id, line_number)
    select {_COLUMNS}, load_id, line_number from (table taken union all table taken_duplicates) as known
    where load_id <> all(%(replaced)s)
    """,
    f"""
    create temporary table ranked on commit drop as
    select incoming.*,
        -- Bytes and not a language decide which name is greater.
        row_number() over (partition by {_KEY} order by loads.file collate "C" desc, incoming.line_number desc) as place
    from incoming inner join ops.ad_spend_loads as loads using (load_id)
    """,
    f"""
    insert into raw.ad_spend ({_COLUMNS}, load_id, line_number)
    select {_COLUMNS}, load_id, line_number from ranked where place = 1
    """,
    f"""
    insert into raw.duplicate_ad_spend ({_COLUMNS}, load_id, line_number)
    select {_COLUMNS}, load_id, line_number from ranked where place > 1
    """,
    # Of every load of these days, also of one long past: what has changed is which of its rows stand.
    """
    update ops.ad_spend_loads as loads
    set accepted = counted.accepted, duplicates = counted.duplicates
    from (
        select load_id, count(*) filter (where stands) as accepted, count(*) filter (where not stands) as duplicates
        from (
            select load_id, true as stands from raw.ad_spend
            union all
            select load_id, false from raw.duplicate_ad_spend
        ) as known
        group by load_id
    ) as counted
    where counted.load_id = loads.load_id and loads.load_id in (select load_id from ranked)
    """,
    "delete from raw.rejected_ad_spend where load_id = any(%(replaced)s)",
    f"""
    insert into ops.stale_day_marks (event_date, layer, reason, change_id)
    select distinct changed.spend_date, 'ad_spend', 'ad_spend_changed', %(change_id)s::bigint
    from (
        (table before except select {_COLUMNS} from ranked where place = 1)
        union all
        (select {_COLUMNS} from ranked where place = 1 except table before)
    ) as changed
    inner join ops.built_days as built on built.event_date = changed.spend_date
    on conflict (event_date, layer, reason) do update
    set change_id = excluded.change_id, recorded_at = excluded.recorded_at
    """,
)


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


def load_ad_spend(connection: psycopg.Connection, *, root: LandingRoot | Path) -> AdSpendReport:
    """Load every file that is new or has changed: all of them, with their ledger rows, or nothing.

    A changed file replaces exactly its own rows. Days that have been built and whose spend is another now become stale.
    A file that cannot be used is refused, and the others are loaded. Raises ValueError inside a transaction of the
    caller, which could take back what is reported as loaded.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("ad spend is loaded in a transaction of its own: commit the connection's first")
    files, refused = ad_spend_files(root)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("set local synchronous_commit = on")
        cursor.execute("select ops.hold_writer()")
        # Two loads of one file would each find it missing from the ledger.
        cursor.execute("lock table ops.ad_spend_loads in share row exclusive mode")
        cursor.execute("select file, load_id, checksum from ops.ad_spend_loads where replaced_by is null")
        ledger = {file: (load_id, checksum) for file, load_id, checksum in cursor}
        cursor.execute(_CREATE_INCOMING)
        change_id: int | None = None
        loaded: dict[str, int] = {}
        replaced: list[int] = []
        unchanged = []
        for file in files:
            try:
                text, checksum = read_content(file)
                load_id, previous_checksum = ledger.get(file.name, (None, None))
                if checksum == previous_checksum:
                    unchanged.append(file.name)
                    continue
                rows = list(read_rows(file.name, text))
            except Unusable as reason:
                refused[file.name] = str(reason)
                continue
            change_id = change_id or _next_change_id(cursor)
            loaded[file.name] = _enter(cursor, file, checksum, change_id, load_id, rows)
            if load_id is not None:
                replaced.append(load_id)
        if loaded:
            for statement in _SETTLE:
                cursor.execute(statement, {"replaced": replaced, "change_id": change_id})
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


def _next_change_id(cursor: psycopg.Cursor) -> int:
    (change_id,) = cursor.execute("select nextval('ops.change_id_seq')").fetchone() or (0,)
    return int(change_id)


def _enter(
    cursor: psycopg.Cursor,
    file: AdSpendFile,
    checksum: str,
    change_id: int,
    previous: int | None,
    rows: Sequence[tuple[int, AdSpendRow] | RejectedRow],
) -> int:
    """Enter a file in the ledger and send its rows to the server. Returns its load id."""
    if previous is not None:
        # The file's place as the loaded version is free before the new version takes it.
        cursor.execute("update ops.ad_spend_loads set replaced_by = load_id where load_id = %s", [previous])
    good = [row for row in rows if not isinstance(row, RejectedRow)]
    rejected = [row for row in rows if isinstance(row, RejectedRow)]
    (load_id,) = cursor.execute(
        "insert into ops.ad_spend_loads (change_id, file, checksum, rows_read, accepted, rejected, duplicates)"
        " values (%s, %s, %s, %s, 0, %s, 0) returning load_id",
        [change_id, file.name, checksum, len(rows), len(rejected)],
    ).fetchone() or (0,)
    if previous is not None:
        cursor.execute("update ops.ad_spend_loads set replaced_by = %s where load_id = %s", [load_id, previous])
    with cursor.copy(f"copy incoming ({_COLUMNS}, load_id, line_number) from stdin") as copy:
        for line_number, row in good:
            copy.write_row((*(getattr(row, column) for column in COLUMNS), load_id, line_number))
    with cursor.copy("copy raw.rejected_ad_spend (line_number, line, reasons, load_id) from stdin") as copy:
        for line_number, line, reasons in rejected:
            copy.write_row((line_number, line, list(reasons), load_id))
    return int(load_id)


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
