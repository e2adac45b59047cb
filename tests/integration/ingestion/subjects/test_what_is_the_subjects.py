"""The events that are a subject's, others that mention the subject, and those from before a withdrawn consent."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.ingestion.subjects.subject_requests import erase, event, landing_text, stored_text
from tests.integration.ingestion.subjects.test_erasure_from_raw import ANA, BEN, load
from tests.support.pipeline import START, Pipeline

DAY = START
NEXT = START + timedelta(days=1)


def test_a_shared_device_stays_and_two_actors_of_one_device_are_two_people(pipeline: Pipeline) -> None:
    pipeline.land(
        DAY,
        [
            event("a1", DAY, actorId="user-ana", anonymousId="tablet"),
            event("b1", DAY, actorId="user-ben", anonymousId="tablet"),
            event("n1", DAY, anonymousId="tablet"),
        ],
    )
    load(pipeline)
    erase(pipeline, "user-ana")
    assert pipeline.rows("select event_key, anonymous_id from raw.events order by 1") == [
        ("b1", "tablet"),
        ("n1", "tablet"),
    ]
    # Named together they are one subject, and the tablet is nobody else's.
    erase(pipeline, "user-ana", "user-ben")
    assert pipeline.rows("select * from raw.events") == []
    assert "tablet" not in landing_text(pipeline.landing)


def test_a_named_device_leads_to_its_only_actor(pipeline: Pipeline) -> None:
    pipeline.land(DAY, [event("a1", DAY, **ANA), event("a2", DAY, actorId="user-ana"), event("b1", DAY, **BEN)])
    load(pipeline)
    erase(pipeline, devices=("device-ana",))
    assert pipeline.rows("select event_key from raw.events") == [("b1",)]


def test_other_persons_events_lose_their_mentions(pipeline: Pipeline) -> None:
    mention = event(
        "b1", DAY, **BEN, entityType="user", entityId="user-ana",
        props={"path": "/people/user-ana/works", "query": "user-analog"},
        attribution={"referrer": "https://x.example/user-ana", "utmSource": "mail"},
    )  # fmt: skip
    pipeline.land(DAY, [event("a1", DAY, **ANA), mention])
    pipeline.land(DAY, [mention | {"receivedAt": f"{DAY}T13:00:00Z"}], "again.ndjson")
    load(pipeline)
    assert pipeline.rows("select count(*) from raw.duplicate_events") == [(1,)]
    done = erase(pipeline, "user-ana")
    ((entity_id, props),) = pipeline.rows("select entity_id, props from raw.events")
    assert entity_id is None
    assert props == {"path": "/people/[redacted]/works", "query": "user-analog"}
    assert pipeline.rows("select referrer from raw.attribution") == [("https://x.example/[redacted]",)]
    assert done.event_dates == (DAY,)
    assert "user-ana/" not in stored_text(pipeline) + landing_text(pipeline.landing)
    assert '"user-ana"' not in stored_text(pipeline) + landing_text(pipeline.landing)
    # A new file that mentions her is stored without her id.
    pipeline.land(NEXT, [event("b2", NEXT, **BEN, entityType="user", entityId="user-ana")], "new.ndjson")
    load(pipeline)
    assert pipeline.rows("select entity_type, entity_id from raw.events where event_key = 'b2'") == [("user", None)]
    assert '"user-ana"' not in landing_text(pipeline.landing)


def test_ids_that_are_addresses_are_found_by_the_address(pipeline: Pipeline) -> None:
    address = "Ana.Lopez@private.example"
    pipeline.land(DAY, [event("a1", DAY, actorId=address), event("b1", DAY, **BEN, props={"path": f"/x?to={address}"})])
    load(pipeline)
    erase(pipeline, emails=("ana.lopez@private.example",))
    assert pipeline.rows("select event_key from raw.events") == [("b1",)]
    assert "lopez" not in landing_text(pipeline.landing).lower()


def test_consent_withdrawn_erases_only_what_came_after(pipeline: Pipeline) -> None:
    def at(hour: int, key: str) -> dict[str, Any]:
        return event(key, DAY, **ANA) | {"occurredAt": f"{DAY}T{hour:02}:00:00Z"}

    referred = {"attribution": {"referrer": "https://x.example/user-ana"}, "props": {"path": "/people/user-ana"}}
    pipeline.land(
        DAY,
        [
            at(9, "before") | referred,
            at(9, "of ben") | referred | BEN,
            at(10, "just"),
            at(11, "after"),
            at(11, "later of ben") | referred | BEN,
            # A line that is no event has the time of its landing day.
            "no JSON of user-ana",
        ],
    )
    load(pipeline)
    earlier = (
        "select * from raw.events left join raw.attribution using (event_key) where event_key in ('before', 'of ben')"
    )
    kept = pipeline.rows(f"{earlier} order by 1")
    since = datetime(DAY.year, DAY.month, DAY.day, 10, tzinfo=UTC)
    erase(pipeline, "user-ana", withdrawn_from=since)
    assert pipeline.rows("select event_key from raw.events order by 1") == [("before",), ("later of ben",), ("of ben",)]
    assert landing_text(pipeline.landing).count('"user-ana"') == 1
    assert pipeline.rows("select referrer, props ->> 'path' from raw.events inner join raw.attribution"
                         " using (event_key) where event_key = 'later of ben'") == [
        ("https://x.example/[redacted]", "/people/[redacted]")
    ]  # fmt: skip
    now = pipeline.rows(f"{earlier} order by 1")
    # Their load is another one: the file was loaded again.
    without_load = [[value for value in row if value not in (1, 2)] for row in now]
    assert without_load == [[value for value in row if value not in (1, 2)] for row in kept]
    # Also for events that arrive later, or again.
    pipeline.land(DAY, [at(9, "before"), at(11, "after"), at(8, "early")])
    pipeline.land(NEXT, [event("next", NEXT, anonymousId="device-ana")], "next.ndjson")
    load(pipeline)
    assert pipeline.rows("select event_key, actor_id from raw.events order by 1") == [
        ("before", "user-ana"),
        ("early", "user-ana"),
    ]
    assert '"after"' not in landing_text(pipeline.landing)
