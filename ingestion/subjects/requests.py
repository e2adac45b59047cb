"""Requests of subjects: rows of ops.subject_requests, which jobs name instead of ids. Emptied when they are done."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from ingestion.subjects import schema
from ingestion.subjects.identity import find_subject
from ingestion.subjects.subject import NamedIds, Subject


class RequestKind(StrEnum):
    """Kinds of requests."""

    ERASE = "erase"
    EXPORT = "export"
    WITHDRAW_CONSENT = "withdraw_consent"


class InvalidRequest(Exception):
    """A request that is incomplete, or that a job cannot carry out."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is not done. `subject` is None until a job has begun it."""

    request_id: UUID
    kind: RequestKind
    requested_by: str
    requested_at: datetime
    withdrawn_from: datetime | None
    named: NamedIds
    subject: Subject | None


def create_request(
    connection: psycopg.Connection,
    kind: RequestKind,
    named: NamedIds,
    *,
    requested_by: str,
    withdrawn_from: datetime | None = None,
) -> UUID:
    """Record a request. Return its id, which jobs take. Raises InvalidRequest for an incomplete one."""
    if not requested_by.strip():
        raise InvalidRequest("say who asks for it: the name is kept with the proof")
    if (kind is RequestKind.WITHDRAW_CONSENT) != (withdrawn_from is not None):
        raise InvalidRequest("consent is withdrawn from a time on, and only then a time is given")
    schema.create(connection)
    row = connection.execute(
        "insert into ops.subject_requests (kind, requested_by, withdrawn_from, named_ids) values (%s, %s, %s, %s)"
        " returning request_id",
        [kind, requested_by.strip(), withdrawn_from, Jsonb({name: list(ids) for name, ids in asdict(named).items()})],
    ).fetchone()
    assert row is not None  # noqa: S101
    return UUID(str(row[0]))


def read_request(connection: psycopg.Connection, text: str, kinds: tuple[RequestKind, ...]) -> Request | None:
    """Return a request by its id; None when it is done. Raises InvalidRequest for an unknown one or another kind."""
    schema.create(connection)
    try:
        request_id = UUID(text)
    except ValueError:
        raise InvalidRequest(
            f"{text!r} is no id of a request: the commands erase-subject, export-subject and withdraw-consent print it"
        ) from None
    row = connection.execute(
        "select kind, requested_by, requested_at, withdrawn_from, named_ids, subject, done_at"
        " from ops.subject_requests where request_id = %s",
        [request_id],
    ).fetchone()
    if row is None:
        raise InvalidRequest(f"there is no request {request_id} in ops.subject_requests")
    kind, requested_by, requested_at, withdrawn_from, named, subject, done_at = row
    if kind not in kinds:
        raise InvalidRequest(f"request {request_id} is to {kind.replace('_', ' ')}: run the job for that")
    if done_at is not None:
        return None
    return Request(
        request_id,
        RequestKind(kind),
        requested_by,
        requested_at,
        withdrawn_from,
        NamedIds(**{name: tuple(ids) for name, ids in named.items()}),
        None if subject is None else Subject.from_json(subject),
    )


def subject_of(cursor: psycopg.Cursor, request: Request, *, hash_key: str) -> Subject:
    """Return the subject of a request, and keep it in the request: after the erasure raw links its ids no more."""
    if request.subject is not None:
        return request.subject
    subject = find_subject(cursor, request.named, hash_key=hash_key)
    cursor.execute(
        "update ops.subject_requests set subject = %s where request_id = %s",
        [Jsonb(subject.as_json()), request.request_id],
    )
    return subject


def finish_request(cursor: psycopg.Cursor, request_id: UUID) -> None:
    """Mark a request as done and empty its ids."""
    cursor.execute(
        "update ops.subject_requests set named_ids = null, subject = null, done_at = clock_timestamp()"
        " where request_id = %s",
        [request_id],
    )
