"""Requests of subjects on a warehouse under test, and the files and tables that must not name them afterwards."""

import gzip
import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
from backports import zstd

from ingestion.landing.files import LandingRoot
from ingestion.loading.landing_day import load_days
from ingestion.subjects import erasure, requests
from ingestion.subjects.erased_lines import editors_of_subject
from ingestion.subjects.landing_files import landing_days_to_reload, rewrite_landing_files
from ingestion.subjects.requests import Request, RequestKind
from ingestion.subjects.stored_ids import replacements_of
from ingestion.subjects.subject import NamedIds
from ingestion.validation_lists import default_rules
from publishing import stale_days
from tests.support.keys import ERASURE_KEY, HASH_KEY
from tests.support.pipeline import START, Pipeline

EVERY_KIND = tuple(RequestKind)


def request(pipeline: Pipeline, named: NamedIds, *, withdrawn_from: datetime | None = None) -> Request:
    """Record a request as the command line does, and read it as the job does."""
    kind = RequestKind.ERASE if withdrawn_from is None else RequestKind.WITHDRAW_CONSENT
    request_id = requests.create_request(
        pipeline.connection, kind, named, requested_by="a test", withdrawn_from=withdrawn_from
    )
    return reread(pipeline, request_id)


def reread(pipeline: Pipeline, request_id: UUID) -> Request:
    found = requests.read_request(pipeline.connection, str(request_id), EVERY_KIND)
    assert found is not None
    return found


def erase(pipeline: Pipeline, *persons: str, **options: Any) -> erasure.Erasure:
    """Erase actors, or other ids, from raw and from the landing files."""
    withdrawn_from = options.pop("withdrawn_from", None)
    asked = request(pipeline, NamedIds(persons=persons, **options), withdrawn_from=withdrawn_from)
    return carry_out(pipeline, asked)


def carry_out(pipeline: Pipeline, asked: Request, *, hash_key: str = HASH_KEY) -> erasure.Erasure:
    done = erasure.erase(pipeline.connection, asked, hash_key=hash_key, erasure_key=ERASURE_KEY)
    stale_days.mark_stale_days(pipeline.connection)
    erasure.record_days(pipeline.connection, asked.request_id)
    replacements = replacements_of(pipeline.connection, ERASURE_KEY)
    editors = editors_of_subject(done.subject, replacements, hash_key=hash_key, erased_from=asked.withdrawn_from)
    root = LandingRoot.from_url(pipeline.landing)
    files = rewrite_landing_files(pipeline.connection, root, editors, log=print)
    rules = default_rules().with_settings(hash_key=hash_key) if hash_key else default_rules()
    load_days(
        pipeline.connection, landing_days_to_reload(pipeline.connection), is_reload=True, root=pipeline.landing,
        start_date=START, rules=rules, erasure_key=ERASURE_KEY, processes=1,
    )  # fmt: skip
    erasure.record_files(pipeline.connection, asked.request_id, files)
    return done


def event(key: str, day: date, **fields: Any) -> dict[str, Any]:
    """Return an event of noon; fields in camelCase."""
    return {"eventType": "page_viewed", "occurredAt": f"{day}T12:00:00Z", "idempotencyKey": key, **fields}


def landing_text(landing: Path) -> str:
    """Return the content of every landing file as text, unpacked."""
    texts = []
    for path in sorted(landing.rglob("*")):
        if path.suffix == ".parquet":
            texts.append(json.dumps(pq.read_table(path).to_pylist(), default=str))
        elif path.is_file():
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            elif path.suffix == ".zst":
                content = zstd.decompress(content)
            texts.append(content.decode(errors="replace"))
    return "\n".join(texts)


def stored_text(pipeline: Pipeline, schemas: Sequence[str] = ("raw", "ops")) -> str:
    """Return every row of the tables of these schemas as text."""
    tables = pipeline.rows(
        "select format('%%I.%%I', relnamespace::regnamespace::text, relname) from pg_class"
        " where relnamespace::regnamespace::text = any(%s) and relkind in ('r', 'p') and not relispartition",
        list(schemas),
    )
    return "\n".join(str(row) for (table,) in tables for row in pipeline.rows(f"select t::text from {table} as t"))
