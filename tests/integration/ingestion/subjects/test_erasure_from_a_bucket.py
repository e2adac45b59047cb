"""Erasure of a subject from landing files in an object store, whose register of erasures stands in the bucket too."""

import gzip
import json
from collections.abc import Iterator

import pytest

from ingestion.landing.files import LandingRoot
from ingestion.loading.landing_day import load_landing_day
from ingestion.subjects import erasure, register
from ingestion.subjects.erased_lines import editors_of_subject
from ingestion.subjects.landing_files import rewrite_landing_files
from ingestion.subjects.register import ErasuresMissing
from ingestion.subjects.stored_ids import replacements_of
from ingestion.subjects.subject import NamedIds
from tests.integration.ingestion.subjects.subject_requests import event, request
from tests.support.keys import ERASURE_KEY, HASH_KEY
from tests.support.object_store import BUCKET, PREFIX, S3, point_to, serving
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    with serving() as server:
        point_to(server.endpoint, monkeypatch)
        yield server


def test_objects_are_replaced_and_the_register_is_written(pipeline: Pipeline, s3: S3) -> None:
    lines = [event("a1", START, actorId="user-ana"), event("b1", START, actorId="user-ben")]
    packed = gzip.compress("\n".join(map(json.dumps, lines)).encode())
    s3.land(Window.day(START), packed, "a.ndjson.gz")
    root = LandingRoot.from_url(s3.url)

    def load() -> int:
        return load_landing_day(
            pipeline.connection, root=root, landing_date=START, start_date=START, erasure_key=ERASURE_KEY
        ).lines_read

    assert load() == 2
    asked = request(pipeline, NamedIds(persons=("user-ana",)))
    done = erasure.erase(pipeline.connection, asked, hash_key=HASH_KEY, erasure_key=ERASURE_KEY)
    register.register_erasure(pipeline.connection, root, asked.request_id)
    editors = editors_of_subject(done.subject, replacements_of(pipeline.connection, ERASURE_KEY), hash_key=HASH_KEY)
    assert rewrite_landing_files(pipeline.connection, root, editors, log=print) == 1

    stored = s3.client.get_object(Bucket=BUCKET, Key=f"{PREFIX}/events/dt={START}/a.ndjson.gz")["Body"].read()
    assert gzip.decompress(stored).decode() == f"\n{json.dumps(lines[1])}"
    # The ledger knows the object as it is now, and nothing is loaded again.
    assert load() == 0
    assert register.missing_erasures(pipeline.connection, root) == []
    pipeline.connection.execute("truncate ops.erasures")
    with pytest.raises(ErasuresMissing):
        register.require_all_erasures(pipeline.connection, root)
    assert [one.request_id for one in register.read_missing(pipeline.connection, root)] == [asked.request_id]
