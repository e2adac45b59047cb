"""Tables of schema ops for requests of subjects: requests, proofs of erasure, keyed hashes of erased ids. DDL only."""

from typing import Final

import psycopg

from warehouse.locks import AdvisoryLock
from warehouse.missing_ddl import set_comments

_DDL: Final = """
create table if not exists ops.subject_requests (
    request_id uuid primary key default gen_random_uuid(),
    kind text not null check (kind in ('erase', 'export', 'withdraw_consent')),
    requested_by text not null,
    withdrawn_from timestamptz,
    named_ids jsonb,
    subject jsonb,
    requested_at timestamptz not null default clock_timestamp(),
    done_at timestamptz
);

create table if not exists ops.erasures (
    request_id uuid primary key,
    kind text not null,
    subject_hashes text[] not null,
    requested_by text not null,
    requested_at timestamptz not null,
    withdrawn_from timestamptz,
    erased_at timestamptz not null default clock_timestamp(),
    change_id bigint not null,
    table_rows jsonb not null,
    event_dates date[] not null,
    files_rewritten integer,
    completed_at timestamptz
);

create table if not exists ops.erased_ids (
    id_hash bytea primary key,
    erased_from timestamptz,
    replacement_id text,
    request_id uuid not null
);
"""

_COMMENTS: Final = {
    "ops.subject_requests": "Requests of subjects that jobs carry out by their request_id. The ids are emptied when the"
    " request is done.",
    "ops.subject_requests.named_ids": "The ids that the request names, as {kind: [id]}; null once it is done.",
    "ops.subject_requests.subject": "All ids of the subject as found when the job began; null once it is done.",
    "ops.erasures": "Proofs of erasure. They hold no id, only hashes under WAREHOUSE_ERASURE_KEY.",
    "ops.erasures.table_rows": "Rows by table, as {table: {before, after, erased}}; sealed: rows of sealed days whose"
    " ids are random now.",
    "ops.erasures.event_dates": "The event days that the erasure has made stale.",
    "ops.erasures.files_rewritten": "Landing files without the subject's lines; null while they are being rewritten.",
    "ops.erasures.completed_at": "When the landing files were rewritten and all its days were published again.",
    "ops.erased_ids": "Keyed hashes of erased ids. Loads and reads leave out what names them.",
    "ops.erased_ids.erased_from": "Only events from then on are left out (consent withdrawn); null: all.",
    "ops.erased_ids.replacement_id": "The random id under which rows of a creator or brand stay; null for others.",
}


def create(connection: psycopg.Connection) -> None:
    """Create missing tables, in one transaction. Schema ops must exist."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.SUBJECTS_DDL])
        cursor.execute(_DDL)
        set_comments(cursor, _COMMENTS)
