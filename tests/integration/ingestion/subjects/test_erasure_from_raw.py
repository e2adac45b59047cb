"""Erasure of a subject from raw and the landing folder: equal to a warehouse in which the subject had never been."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from ingestion.deduplication import rate_limit
from ingestion.loading.landing_day import load_window
from ingestion.loading.reload import reload_window
from ingestion.subjects import erasure
from ingestion.subjects.erased_ids import ErasureKeyMissing
from ingestion.subjects.subject import NamedIds
from ingestion.validation_lists import default_rules
from tests.integration.ingestion.subjects.subject_requests import (
    carry_out,
    erase,
    event,
    landing_text,
    request,
    reread,
    stored_text,
)
from tests.support.keys import ERASURE_KEY, HASH_KEY
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

DAY = START
NEXT = START + timedelta(days=1)
WINDOW = Window(DAY, NEXT + timedelta(days=1))
SESSION = "11111111-2222-4333-8444-555555555555"
ANA = {"actorId": "user-ana", "anonymousId": "device-ana"}
BEN = {"actorId": "user-ben", "anonymousId": "device-ben"}


def load(pipeline: Pipeline, *, erasure_key: str = ERASURE_KEY) -> None:
    (pipeline.landing / "events").mkdir(parents=True, exist_ok=True)
    rules = default_rules().with_settings(hash_key=HASH_KEY)
    load_window(
        pipeline.connection,
        root=pipeline.landing,
        window=WINDOW,
        start_date=START,
        rules=rules,
        erasure_key=erasure_key,
        processes=1,
    )


def lines_of_both(with_ana: bool) -> dict[str, list[Any]]:
    """Return lines by file; without Ana those that would have been sent had she never been."""

    def ana(*lines: Any) -> list[Any]:
        return list(lines) if with_ana else []

    return {
        "plain.ndjson": [
            event("b1", DAY, **BEN, props={"path": "/a"}),
            *ana(event("a1", DAY, **ANA, sessionId=SESSION)),
            *ana(event("a2", DAY, anonymousId="device-ana", attribution={"utmSource": "mail"})),
            *ana(event("a3", DAY, sessionId=SESSION)),
            # A copy of hers was stored first, and one of Ben's waited behind it.
            *ana(event("shared", DAY, actorId="user-ana", receivedAt=f"{DAY}T12:00:01Z")),
            event("shared", DAY, actorId="user-ben", receivedAt=f"{DAY}T12:00:02Z"),
            *ana({"eventType": "page_viewed", "actorId": "user-ana"}),
            *ana(event("a4", DAY, **ANA, context={"doNotTrack": True})),
            *ana('{"eventType": "page_viewed", "actorId": "user-ana"'),
            *ana(b'{"eventType": "page_viewed", "actorId": "user-ana", "props": {"title": "\xe9t\xe9"}}'),
            b'{"eventType": "page_viewed", "actorId": "user-ben", "props": {"title": "\xe9t\xe9"}}',
            {"eventType": "page_viewed", "actorId": "user-ben"},
        ],
        "packed.ndjson.gz": [
            *ana(event("a5", NEXT, **ANA)),
            (event("b2", NEXT, **BEN), *ana(event("a6", NEXT, **ANA)), event("b3", NEXT, **BEN)),
            *ana(
                (
                    event("a7", NEXT, **ANA),
                    event("a8", NEXT, **ANA),
                )
            ),
            event("b4", NEXT, anonymousId="device-ben"),
        ],
    }


def land(pipeline: Pipeline, files: dict[str, list[Any]]) -> None:
    for name, lines in files.items():
        pipeline.land(DAY if name == "plain.ndjson" else NEXT, lines, name)


def empty(pipeline: Pipeline) -> None:
    pipeline.connection.execute(
        "truncate raw.events, raw.attribution, raw.duplicate_events, raw.rejected_events, ops.loads,"
        " ops.stale_day_marks"
    )


def contents(pipeline: Pipeline) -> dict[str, Any]:
    return pipeline.contents(("raw",))


def assert_counts_add_up(pipeline: Pipeline) -> None:
    assert not pipeline.rows(
        "select * from ops.loads where lines_read <> accepted + rejected + duplicates + not_tracked + erased"
    )
    counted = pipeline.rows(
        "select sum(accepted), sum(rejected), sum(duplicates) from ops.loads where replaced_by is null"
    )
    assert counted == pipeline.rows(
        "select (select count(*) from raw.events), (select count(*) from raw.rejected_events),"
        " (select count(*) from raw.duplicate_events)"
    )  # fmt: skip


def test_raw_equals_a_warehouse_in_which_the_subject_had_never_been(pipeline: Pipeline) -> None:
    land(pipeline, lines_of_both(with_ana=False))
    load(pipeline)
    expected = contents(pipeline)
    empty(pipeline)
    land(pipeline, lines_of_both(with_ana=True))
    load(pipeline)
    assert contents(pipeline) != expected

    done = erase(pipeline, "user-ana")

    assert contents(pipeline) == expected
    assert done.table_rows["raw.events"]["erased"] == 8
    assert set(done.event_dates) == {DAY, NEXT}
    assert_counts_add_up(pipeline)
    for place in (landing_text(pipeline.landing), stored_text(pipeline)):
        assert "user-ana" not in place
        assert "device-ana" not in place
        assert SESSION not in place
        assert "user-ben" in place
    # Neither a further run of the days nor one that reads every file again brings her back, or changes a row.
    before = stored_text(pipeline, ["raw"])
    load(pipeline)
    assert stored_text(pipeline, ["raw"]) == before
    pipeline.connection.execute("update ops.loads set checksum = ''")
    load(pipeline)
    assert contents(pipeline) == expected
    assert_counts_add_up(pipeline)


def test_a_later_file_does_not_bring_the_subject_back(pipeline: Pipeline) -> None:
    land(pipeline, lines_of_both(with_ana=True))
    load(pipeline)
    erase(pipeline, "user-ana")
    expected = contents(pipeline)
    text = landing_text(pipeline.landing)
    # The producer delivers the day once more, and Ana is back.
    land(pipeline, lines_of_both(with_ana=True))
    load(pipeline)
    assert contents(pipeline) == expected
    assert landing_text(pipeline.landing) == text
    ((erased,),) = pipeline.rows("select sum(erased) from ops.loads where replaced_by is null")
    # All of her, also the line that asks not to be tracked and those that are no event.
    assert erased == 12
    assert_counts_add_up(pipeline)
    land(pipeline, lines_of_both(with_ana=False))
    with pytest.raises(ErasureKeyMissing, match="WAREHOUSE_ERASURE_KEY"):
        load(pipeline, erasure_key="")


def test_every_format_is_rewritten_and_others_lines_keep_their_bytes(pipeline: Pipeline) -> None:
    bens = json.dumps(event("b1", DAY, **BEN)).encode() + b"\r\n"
    anas = json.dumps(event("a1", DAY, **ANA)).encode() + b"\r\n"
    folder = pipeline.landing / "events" / f"dt={DAY}"
    folder.mkdir(parents=True)
    content = b"\xef\xbb\xbf" + bens + anas + b"\n" + anas.replace(b"a1", b"a2")[:-2]
    (folder / "a.ndjson").write_bytes(content)
    (folder / "b.ndjson.gz").write_bytes(gzip.compress(content.replace(b'"a', b'"A').replace(b'"b1', b'"B1')))
    (folder / "c.ndjson.zst").write_bytes(zstd.compress(content.replace(b'"a', b'"c').replace(b'"b1', b'"d1')))
    untouched = json.dumps(event("b9", DAY, **BEN)).encode()
    (folder / "d.ndjson").write_bytes(untouched)
    mode = (folder / "a.ndjson").stat().st_mode
    rows = [
        {"event_type": "page_viewed", "occurred_at": f"{DAY}T10:00:00Z", "event_id": "p1", "actor_id": "user-ana"},
        {"event_type": "page_viewed", "occurred_at": f"{DAY}T10:00:00Z", "event_id": "p2", "actor_id": "user-ben"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "e.parquet")
    load(pipeline)
    before = dict(pipeline.rows("select file, lines_read from ops.loads"))

    erase(pipeline, "user-ana")

    assert (folder / "a.ndjson").read_bytes() == b"\xef\xbb\xbf" + bens + b"\r\n" + b"\n"
    assert (folder / "a.ndjson").stat().st_mode == mode
    assert (folder / "d.ndjson").read_bytes() == untouched
    assert pq.read_table(folder / "e.parquet").to_pylist() == [dict.fromkeys(rows[0]), rows[1]]
    assert "user-ana" not in landing_text(pipeline.landing)
    assert dict(pipeline.rows("select file, lines_read from ops.loads")) == before
    # Loaded again, no file counts an empty line twice, and none loses the count.
    counts = "select file, lines_read, accepted, erased from ops.loads where replaced_by is null order by file"
    ledger = pipeline.rows(counts)
    pipeline.connection.execute("update ops.loads set rules_digest = 'of old rules'")
    reload_window(
        pipeline.connection,
        root=pipeline.landing,
        window=WINDOW,
        start_date=START,
        rules=default_rules().with_settings(hash_key=HASH_KEY),
        erasure_key=ERASURE_KEY,
    )
    assert (
        pipeline.rows(
            "select file, lines_read, accepted, erased from ops.loads where replaced_by is null order by file"
        )
        == ledger
    )


def test_an_erasure_releases_no_event_of_others_from_the_rate_limit(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "EVENTS_PER_MINUTE", 2)

    def burst(person: dict[str, str], name: str) -> list[dict[str, Any]]:
        return [event(f"{name}{number}", DAY, **person) for number in range(4)]

    pipeline.land(DAY, [*burst(ANA, "a"), *burst(BEN, "b")])
    load(pipeline)
    erase(pipeline, "user-ana")
    assert pipeline.rows("select event_key from raw.events order by 1") == [("b0",), ("b1",)]
    assert pipeline.rows("select event_key from raw.rejected_events order by 1") == [("b2",), ("b3",)]
    assert_counts_add_up(pipeline)


def test_a_second_erasure_and_one_that_died_in_between_end_alike(pipeline: Pipeline) -> None:
    land(pipeline, lines_of_both(with_ana=True))
    load(pipeline)
    asked = request(pipeline, NamedIds(persons=("user-ana",)))
    # It dies after the transaction of raw: the landing files still name her, and the request still has her ids.
    first = erasure.erase(pipeline.connection, asked, hash_key=HASH_KEY, erasure_key=ERASURE_KEY)
    assert "user-ana" in landing_text(pipeline.landing)
    # A night in between loads what it finds, and she stays out.
    load(pipeline)
    again = carry_out(pipeline, reread(pipeline, asked.request_id))
    assert again.table_rows == first.table_rows
    assert "user-ana" not in landing_text(pipeline.landing)
    assert pipeline.rows("select named_ids, subject, done_at is not null from ops.subject_requests") == [
        (None, None, True)
    ]
    expected = contents(pipeline)
    second = erase(pipeline, "user-ana")
    assert second.table_rows == {}
    assert contents(pipeline) == expected
    assert "user-ana" not in stored_text(pipeline)


def test_an_erasure_is_complete_when_every_model_of_its_days_is_published(pipeline: Pipeline) -> None:
    land(pipeline, lines_of_both(with_ana=True))
    load(pipeline)
    pipeline.connection.execute(
        "insert into ops.published_days (event_date, build_id, run_id, change_id, model_version)"
        " select day, 'b', 'r', 0, 'v' from unnest(%s::date[]) as day",
        [[DAY, NEXT]],
    )
    erase(pipeline, "user-ana")
    assert erasure.complete_erasures(pipeline.connection) == []
    # A night publishes both days, but for a model that waits for a plan.
    pipeline.connection.execute("delete from ops.stale_day_marks")
    pipeline.connection.execute("insert into ops.model_versions values ('v', 'daily_metrics', 'not built', false)")
    assert erasure.complete_erasures(pipeline.connection) == []
    assert len(erasure.open_erasures(pipeline.connection)) == 1
    pipeline.connection.execute("update ops.model_versions set version = 'built'")
    assert len(erasure.complete_erasures(pipeline.connection)) == 1
    assert erasure.open_erasures(pipeline.connection) == []


def test_without_a_key_nothing_is_erased(pipeline: Pipeline) -> None:
    land(pipeline, lines_of_both(with_ana=True))
    load(pipeline)
    before = contents(pipeline)
    asked = request(pipeline, NamedIds(persons=("user-ana",)))
    with pytest.raises(ErasureKeyMissing, match="at least 16 characters"):
        erasure.erase(pipeline.connection, asked, hash_key=HASH_KEY, erasure_key="short")
    assert contents(pipeline) == before
