"""Erasures carried out again after a restore: subjects are found by the hashes of their ids."""

from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from ingestion.subjects import schema
from ingestion.subjects.erased_ids import IdKind, hash_parameters, hash_sql, require_key
from ingestion.subjects.identity import events_of
from ingestion.subjects.register import RegisteredErasure
from ingestion.subjects.subject import Subject

# Every place where an id of a kind stands in raw.
_COLUMNS: Final = {
    IdKind.PERSON: (
        "select actor_id as id from raw.events",
        "select candidate ->> 'actor_id' from raw.duplicate_events",
        "select candidate ->> 'actor_id' from raw.rejected_events",
        "select id from raw.users",
        "select user_id from raw.creators",
        "select user_id from raw.brands",
        "select created_by from raw.ip_assets",
    ),
    IdKind.DEVICE: (
        "select anonymous_id as id from raw.events",
        "select candidate ->> 'anonymous_id' from raw.duplicate_events",
        "select candidate ->> 'anonymous_id' from raw.rejected_events",
    ),
    IdKind.SESSION: (
        "select session_id::text as id from raw.events",
        "select candidate ->> 'session_id' from raw.duplicate_events",
        "select candidate ->> 'session_id' from raw.rejected_events",
    ),
    IdKind.CREATOR: ("select id from raw.creators", "select creator_id from raw.ip_ownerships"),
    IdKind.BRAND: ("select id from raw.brands", "select brand_id from raw.licenses"),
}


def request_again(connection: psycopg.Connection, erasure: RegisteredErasure, *, erasure_key: str) -> None:
    """Record the request of an erasure that this warehouse lacks, under its own id, and its ids as erased.

    Loads leave the ids out from then on; the job erases what is stored. Raises ErasureKeyMissing.
    """
    key = require_key(erasure_key)
    schema.create(connection)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.erased_ids (id_hash, erased_from, replacement_id, request_id) values (%s, %s, %s, %s)"
            " on conflict (id_hash) do nothing",
            [
                (bytes.fromhex(hashed), erasure.withdrawn_from, replacement, erasure.request_id)
                for hashed, replacement in erasure.ids
            ],
        )
        subject = _find(cursor, erasure, key)
        cursor.execute(
            "insert into ops.subject_requests (request_id, kind, requested_by, requested_at, withdrawn_from, named_ids,"
            " subject) values (%s, %s, %s, %s, %s, %s, %s) on conflict (request_id) do update"
            " set subject = excluded.subject, named_ids = excluded.named_ids, done_at = null",
            [
                erasure.request_id, erasure.kind, erasure.requested_by, erasure.requested_at, erasure.withdrawn_from,
                Jsonb({"persons": ["found by hashes"], "devices": [], "emails": []}), Jsonb(subject.as_json()),
            ],
        )  # fmt: skip


def _find(cursor: psycopg.Cursor, erasure: RegisteredErasure, key: bytes) -> Subject:
    parameters: dict[str, Any] = {
        **hash_parameters(key),
        "hashes": [bytes.fromhex(hashed) for hashed, _ in erasure.ids],
    }
    ids = {}
    for kind, queries in _COLUMNS.items():
        stored = " union ".join(queries)
        cursor.execute(
            f"select id from ({stored}) as stored where id is not null and {hash_sql(kind, 'id')} = any(%(hashes)s)",
            parameters,
        )
        ids[kind] = tuple(sorted(text for (text,) in cursor))
    cursor.execute("select distinct email_hash from raw.users where id = any(%s)", [list(ids[IdKind.PERSON])])
    addresses = tuple(sorted(hashed for (hashed,) in cursor if hashed))
    events = events_of(cursor, ids[IdKind.PERSON], ids[IdKind.DEVICE], ids[IdKind.SESSION])
    return Subject(
        persons=ids[IdKind.PERSON],
        devices=ids[IdKind.DEVICE],
        shared_devices=(),
        sessions=ids[IdKind.SESSION],
        email_hashes=addresses,
        creators=ids[IdKind.CREATOR],
        brands=ids[IdKind.BRAND],
        sent=(),
        events=events,
    )
