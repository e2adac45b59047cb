"""Erasure of subjects from schema raw: one transaction that changes raw, keeps the hashes of ids, and records proof.

The days that it makes stale are built and published again as any others; `complete_erasures` records when they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from ingestion.subjects import product_rows, raw_rows, requests, sealed_ids
from ingestion.subjects.erased_ids import IdKind, id_hash, require_key
from ingestion.subjects.identity import find_subject
from ingestion.subjects.other_events import mark_changed
from ingestion.subjects.requests import Request, RequestKind
from ingestion.subjects.subject import Subject
from warehouse import retention
from warehouse.change_queues import next_change_id
from warehouse.single_values import exist, value_of

# Queues hold ids until the days that they affect are marked, and check results hold samples of rows.
_OPS_TEXTS: Final = (("check_results", "observed", "jsonb"), ("waiting_files", "reason", "text"))
_COMPLETE: Final = """
update ops.erasures set completed_at = clock_timestamp()
where completed_at is null and files_rewritten is not null
    -- Readers have never seen a day that was not published.
    and not exists (
        select from ops.stale_days inner join ops.published_days using (event_date)
        where event_date = any(erasures.event_dates)
    )
    and not exists (
        select from ops.stale_day_marks as marks inner join ops.published_days using (event_date)
        where marks.change_id >= erasures.change_id
    )
    -- Tables of models that waited for a plan when the day was built hold what they held.
    and not exists (
        select from ops.published_days inner join ops.model_versions on project_version = model_version
        where event_date = any(erasures.event_dates) and version = 'not built'
    )
returning request_id
"""
# Days on which an asset of the subject was owned or licensed become stale when their queue is read.
_RECORD_DAYS: Final = """
update ops.erasures set event_dates = array(
    select distinct event_date from ops.stale_day_marks where change_id >= erasures.change_id order by event_date
)
where request_id = %s
returning event_dates
"""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of a request from raw: whose, rows by table, and the event days that became stale."""

    subject: Subject
    table_rows: Mapping[str, Mapping[str, int]]
    event_dates: tuple[date, ...]


def preview(cursor: psycopg.Cursor, request: Request, *, hash_key: str) -> tuple[Subject, dict[str, int]]:
    """Return the ids of a request's subject and the number of their rows by table. Changes nothing."""
    subject = request.subject or find_subject(cursor, request.named, hash_key=hash_key)
    counts = raw_rows.count_rows(cursor, subject, erased_from=request.withdrawn_from)
    if request.kind is not RequestKind.WITHDRAW_CONSENT:
        counts |= product_rows.count_rows(cursor, subject)
    return subject, counts


def erase(
    connection: psycopg.Connection,
    request: Request,
    *,
    hash_key: str,
    erasure_key: str,
) -> Erasure:
    """Erase the subject of a request from raw, in one transaction. A request that was erased before changes nothing.

    Raises ErasureKeyMissing.
    """
    key = require_key(erasure_key)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("set local synchronous_commit = on")
        cursor.execute("set local timezone = 'UTC'")
        cursor.execute("select ops.assert_writer()")
        # As in a load: the counts of ops.loads and the rows that they count change together.
        cursor.execute("lock table ops.loads in share row exclusive mode")
        subject = requests.subject_of(cursor, request, hash_key=hash_key)
        cursor.execute("select table_rows, event_dates from ops.erasures where request_id = %s", [request.request_id])
        if done := cursor.fetchone():
            return Erasure(subject, done[0], tuple(done[1]))
        before = _total_rows(cursor)
        change_id = next_change_id(cursor)
        product = product_rows.ErasedProductRows({}, {})
        if request.kind is RequestKind.ERASE:
            product = product_rows.erase_rows(cursor, subject, change_id=change_id, key=key)
        sealed_before = retention.sealed_before(cursor) or date.min
        sealed: dict[str, int] = {}
        if request.kind is RequestKind.ERASE and sealed_before > date.min:
            sealed = sealed_ids.randomize_sealed_days(
                cursor, subject, sealed_before=sealed_before, replacements=product.replacements
            )
        _keep_hashes(cursor, request, subject, product, key)
        events = raw_rows.erase_rows(
            cursor,
            subject,
            change_id=change_id,
            entities=product.entities,
            erased_from=request.withdrawn_from,
            unsealed_from=sealed_before,
        )
        after, erased = _total_rows(cursor), {**product.rows, **events}
        table_rows = {
            table: {"before": before[table], "after": after[table], "erased": erased.get(table, 0)}
            for table in before
            if before[table] != after[table] or erased.get(table)
        }
        for table, rows in sealed.items():
            table_rows.setdefault(table, {})["sealed"] = rows
        _redact_ops(cursor, subject)
        event_dates = _stale_dates(cursor, change_id)
        named = [(IdKind.PERSON, text) for text in subject.persons]
        named = named or [(IdKind.DEVICE, text) for text in subject.devices]
        hashes = sorted(id_hash(kind, text, key).hex() for kind, text in named)
        cursor.execute(
            "insert into ops.erasures (request_id, kind, subject_hashes, requested_by, requested_at, withdrawn_from,"
            " change_id, table_rows, event_dates) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                request.request_id, request.kind, hashes, request.requested_by, request.requested_at,
                request.withdrawn_from, change_id, Jsonb(table_rows), event_dates,
            ],
        )  # fmt: skip
    return Erasure(subject, table_rows, tuple(event_dates))


def record_days(connection: psycopg.Connection, request_id: UUID) -> tuple[date, ...]:
    """Record the days that an erasure has made stale, after the queues of raw were read. Return them."""
    row = connection.execute(_RECORD_DAYS, [request_id]).fetchone()
    return tuple(row[0]) if row else ()


def record_files(connection: psycopg.Connection, request_id: UUID, files: int) -> None:
    """Record that the landing files are rewritten, and empty the request's ids."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "update ops.erasures set files_rewritten = coalesce(files_rewritten, 0) + %s where request_id = %s",
            [files, request_id],
        )
        requests.finish_request(cursor, request_id)


def complete_erasures(connection: psycopg.Connection) -> list[UUID]:
    """Record the erasures whose days are all published again. Return their requests."""
    if not exist(connection, "ops.erasures"):
        return []
    return [UUID(str(request_id)) for (request_id,) in connection.execute(_COMPLETE).fetchall()]


def open_erasures(connection: psycopg.Connection) -> list[tuple[UUID, tuple[date, ...]]]:
    """Return the requests whose erasure is not complete, with their event days."""
    if not exist(connection, "ops.erasures"):
        return []
    rows = connection.execute("select request_id, event_dates from ops.erasures where completed_at is null").fetchall()
    return [(UUID(str(request_id)), tuple(days)) for request_id, days in rows]


def _keep_hashes(
    cursor: psycopg.Cursor, request: Request, subject: Subject, product: product_rows.ErasedProductRows, key: bytes
) -> None:
    """Keep keyed hashes of the erased ids, so that later files and reads do not bring them back.

    An id that was erased from a time on, and now from an earlier one or for good, gets the earlier time.
    """
    ids: list[tuple[IdKind, str]] = [
        *((IdKind.PERSON, text) for text in subject.persons),
        *((IdKind.DEVICE, text) for text in subject.devices),
        *((IdKind.SESSION, text) for text in subject.sessions),
    ]
    if request.kind is RequestKind.ERASE:
        ids += [(IdKind.CREATOR, text) for text in subject.creators]
        ids += [(IdKind.BRAND, text) for text in subject.brands]
    rows: list[tuple[Any, ...]] = [
        (id_hash(kind, text, key), request.withdrawn_from, product.replacements.get((kind, text)), request.request_id)
        for kind, text in ids
    ]
    cursor.executemany(
        """
        insert into ops.erased_ids as known (id_hash, erased_from, replacement_id, request_id) values (%s, %s, %s, %s)
        on conflict (id_hash) do update
        set erased_from = case
                when known.erased_from is null or excluded.erased_from is null then null
                else least(known.erased_from, excluded.erased_from)
            end,
            replacement_id = coalesce(known.replacement_id, excluded.replacement_id),
            -- The request that erases more: the register lists each id with the one that counts.
            request_id = case
                when known.erased_from is null then known.request_id
                when excluded.erased_from is null or excluded.erased_from < known.erased_from then excluded.request_id
                else known.request_id
            end
        """,
        rows,
    )


def _total_rows(cursor: psycopg.Cursor) -> dict[str, int]:
    counts = {}
    cursor.execute("select oid::regclass::text from pg_class where relnamespace = 'raw'::regnamespace"
                   " and relkind in ('r', 'p') and not relispartition order by 1")  # fmt: skip
    for (table,) in cursor.fetchall():
        counts[table] = value_of(cursor, f"select count(*) from {table}")
    return counts


def _redact_ops(cursor: psycopg.Cursor, subject: Subject) -> None:
    """Replace the subject's ids in samples of checks and messages on files."""
    parameters = raw_rows.parameters_of(subject)
    if not parameters["pattern"]:
        return
    for table, column, kind in _OPS_TEXTS:
        cursor.execute(
            f"update ops.{table} set {column} = regexp_replace({column}::text, %(pattern)s, %(redacted)s, 'g')::{kind}"
            f" where {column}::text ~ %(pattern)s",
            parameters,
        )


def _stale_dates(cursor: psycopg.Cursor, change_id: int) -> list[date]:
    """Return the published days that the change makes stale; the last one always is, for what it says of products."""
    last = value_of(cursor, "select max(event_date) from ops.published_days")
    mark_changed(cursor, [last] if last else [], change_id)
    cursor.execute(
        "select distinct event_date from ops.stale_day_marks where change_id = %s order by event_date", [change_id]
    )
    return [day for (day,) in cursor]
