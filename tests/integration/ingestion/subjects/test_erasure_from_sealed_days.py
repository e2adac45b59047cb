"""Erasure of a subject whose events lie in sealed days: the ids become random ones, and every count stays."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.ingestion.subjects.subject_requests import erase, event, stored_text
from tests.support.pipeline import START, Pipeline
from warehouse import retention
from warehouse.window import Window

NEXT = START + timedelta(days=1)
DAYS = Window(START, NEXT + timedelta(days=1))
SESSION = "11111111-2222-4333-8444-555555555555"
SCHEMAS = ("raw", "ops", "intermediate", "build", "rollups", "marts")


def insert(pipeline: Pipeline, table: str, **values: Any) -> None:
    pipeline.connection.execute(
        f"insert into {table} ({', '.join(values)}) values ({', '.join(['%s'] * len(values))})",  # type: ignore[arg-type]
        list(values.values()),
    )


@pytest.mark.models
def test_ids_of_sealed_days_become_random_and_counts_stay(pipeline: Pipeline) -> None:
    ana = {"actorId": "user-ana", "anonymousId": "device-ana", "sessionId": SESSION}
    for day in DAYS.days():
        pipeline.land(
            day,
            [
                event(f"key-of-ana-{day}", day, **ana, attribution={"referrer": "https://x.example/user-ana"}),
                event(f"b-{day}", day, actorId="user-ben"),
                {"eventType": "page_viewed", "actorId": "user-ana"},
            ],
        )
    pipeline.load(DAYS)
    ((event_id,),) = pipeline.rows(
        "select event_id from raw.events where event_date = %s and actor_id = 'user-ana'", START
    )
    for day in DAYS.days():
        for visitor in ("actor:user-ana", "actor:user-ben"):
            insert(pipeline, "rollups.visitor_active_days", metric_date=day, visitor_id=visitor, is_signed_in=True)
        insert(pipeline, "intermediate.int_identity_observations", anonymous_id="device-ana", actor_id="user-ana",
               event_date=day, first_observed_at=f"{day}T12:00:00Z")  # fmt: skip
    insert(pipeline, "rollups.visitor_lifespans", visitor_id="actor:user-ana", first_date=START, last_date=NEXT)
    insert(pipeline, "marts.attribution_credits", conversion_id=event_id, session_id=event_id, model="linear",
           metric_date=START, touch_number=1, touches=1, weight=1, credited_cents=5, conversion_cents=5,
           channel="Direct", source="(direct)", medium="(none)", campaign="(not set)",
           touched_at=f"{START}T12:00:00Z", converted_at=f"{START}T12:00:00Z")  # fmt: skip
    retention.seal(pipeline.connection, NEXT)

    done = erase(pipeline, "user-ana")

    text = stored_text(pipeline, SCHEMAS)
    rows_of_next = [row for row in text.splitlines() if "device-ana" in row or "user-ana" in row]
    # What later runs make of the open day is theirs to change.
    assert all(str(NEXT) in row for row in rows_of_next)
    for secret in (SESSION, "key-of-ana", str(event_id)):
        assert secret not in text
    assert pipeline.rows("select event_date, count(*) from raw.events group by 1 order by 1") == [(START, 2), (NEXT, 1)]
    ((actor, device, key, referrer),) = pipeline.rows(
        "select actor_id, anonymous_id, event_key, referrer from raw.events left join raw.attribution"
        " using (event_date, event_key) where event_date = %s and actor_id <> 'user-ben'",
        START,
    )
    assert None not in (actor, device, key)
    assert referrer is None
    assert pipeline.rows(
        "select visitor_id from rollups.visitor_active_days where metric_date = %s order by 1", START
    ) == (sorted([(f"actor:{actor}",), ("actor:user-ben",)]))
    assert pipeline.rows("select visitor_id, first_date, last_date from rollups.visitor_lifespans") == [
        (f"actor:{actor}", START, START)
    ]
    assert pipeline.rows("select conversion_id::text from marts.attribution_credits") == [(key,)]
    assert done.event_dates == (NEXT,)
    assert not pipeline.rows(
        "select * from ops.loads where lines_read <> accepted + rejected + duplicates + not_tracked + erased"
    )
