"""Rows of the application's events as lines: columns, values and errors."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from ingestion.application.events import FILE_NAME, extract_events
from ingestion.application.source import ApplicationSchemaError, connect_application
from ingestion.application.watermarks import ApplicationRowsMissing
from ingestion.landing.files import LandingError, LandingRoot
from tests.integration.ingestion.application.event_source import FIRST, WINDOW, Application, Extract, event, lines
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY


def test_attribution_never_changes_the_number_of_events_and_the_least_of_several_counts(
    pipeline: Pipeline, application: Application, extract: Extract
) -> None:
    for number in range(1, 4):
        application.insert(event(number))
    for number, source in ((1, "b"), (2, "b"), (2, "a"), (2, None), (2, "a"), (9, "nobody's")):
        application.execute("insert into attribution (event_id, utm_source) values (%s, %s)", UUID(int=number), source)

    [day] = extract().days
    assert (day.events, day.ambiguous) == (3, 1)
    assert pipeline.rows("select event_key, utm_source from raw.attribution order by 1") == [
        (str(UUID(int=1)), "b"),
        (str(UUID(int=2)), "a"),
    ]
    assert pipeline.rows("select count(*) from raw.events") == [(3,)]


def test_only_the_three_columns_of_every_event_are_needed_and_ids_may_differ_in_type(
    pipeline: Pipeline, application: Application, extract: Extract
) -> None:
    application.execute("drop table attribution; drop table events")
    application.execute("create table events (id bigint, occurred_at timestamp, event_type text)")
    application.execute("insert into events values (7, '2026-10-01 23:59:59.5', 'page_viewed')")
    extract()
    assert lines(pipeline) == [{"occurredAt": "2026-10-01 23:59:59.5+00", "eventId": "7", "eventType": "page_viewed"}]
    application.execute("create table attribution (event_id text, gclid text)")
    application.execute("insert into attribution values ('7', 'click')")
    extract()

    assert pipeline.rows("select event_key, occurred_at, source from raw.events") == [
        ("7", datetime(2026, 10, 1, 23, 59, 59, 500_000, UTC), "web")
    ]
    assert pipeline.rows("select gclid from raw.attribution") == [("click",)]


@pytest.mark.parametrize("props", ["{no JSON", '"\\ud800"', "5", "[]"])
def test_props_that_are_no_object_are_dropped_like_those_of_files(
    pipeline: Pipeline, application: Application, extract: Extract, props: str
) -> None:
    application.execute("alter table events alter props_json type text")
    application.insert(event(1, props=props))
    extract()
    assert pipeline.rows("select props from raw.events") == [({},)]
    assert pipeline.rows("select rejected, dropped_fields from ops.loads") == [(0, {"props": {"not an object": 1}})]


def test_amounts_and_placeholders_are_judged_like_those_of_files(
    pipeline: Pipeline, application: Application, extract: Extract
) -> None:
    application.execute("alter table events alter props_json type text")
    application.insert(event(1, props='{"revenueCents": 129900.0, "feeCents": 1.299e5}', actorId="undefined"))
    extract()
    assert pipeline.rows("select revenue_cents, fee_cents, actor_id from raw.events") == [(129_900, 129_900, None)]
    assert pipeline.rows("select placeholder_ids from ops.loads") == [({"actorId": 1},)]


@pytest.mark.parametrize(
    ("props", "reason"),
    [
        ('{"engagementTime":\n 2.50}', None),
        ("", None),
        ("null", None),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"revenueCents": -1}', "props.revenueCents: not a whole number"),
        ("x" * 2_000_000, "line: longer than"),
    ],
    ids=["lines", "empty", "null", "a key twice", "a broken rule", "endless"],
)
def test_props_may_be_text_and_bad_ones_are_rejected_like_those_of_files(
    pipeline: Pipeline, application: Application, extract: Extract, props: str, reason: str | None
) -> None:
    application.execute("alter table events alter props_json type text")
    application.insert(event(1, props=props))
    application.insert(event(2))
    extract()

    rejected = pipeline.rows("select reasons from raw.rejected_events")
    assert pipeline.rows("select count(*) from raw.events") == [(1 if reason else 2,)]
    assert [reason in " ".join(reasons) for (reasons,) in rejected] == ([True] if reason else [])


def test_a_bad_row_is_a_rejected_line_and_one_without_a_time_is_counted(
    pipeline: Pipeline, application: Application, extract: Extract
) -> None:
    application.insert(event(1) | {"eventType": None})
    application.insert(event(2, source="fax", licenseId="x" * 300))
    application.insert(event(3) | {"occurredAt": None})
    application.insert(event(4) | {"occurredAt": "infinity"})
    application.insert(event(5))

    report = extract()
    assert (report.days[0].events, report.undated) == (3, 2)
    assert pipeline.rows("select accepted, rejected from ops.loads") == [(1, 2)]


def test_a_row_lands_on_the_day_it_arrived_where_the_table_says_when(
    pipeline: Pipeline, application: Application, extract: Extract
) -> None:
    application.execute("alter table events add received_at timestamp")
    application.insert(event(1))
    application.insert(event(2))
    application.execute("update events set received_at = '2026-10-02 12:00' where id = %s", UUID(int=2))
    extract(WINDOW)

    assert [line["eventId"] for line in lines(pipeline)] == [str(UUID(int=1))]
    [late] = lines(pipeline, START + ONE_DAY)
    assert late["receivedAt"] == "2026-10-02 12:00:00+00"
    assert pipeline.rows("select event_date, count(*)::int from raw.events group by 1") == [(START, 2)]


def test_what_is_not_declared_stays_in_the_application_and_a_person_who_declines_is_not_tracked(
    pipeline: Pipeline, application: Application, extract: Extract
) -> None:
    application.execute("alter table events add do_not_track boolean, add user_agent text")
    application.insert(event(1))
    application.insert(event(2))
    application.execute("update events set ip_address = '203.0.113.9', do_not_track = id = %s", UUID(int=2))
    extract()

    text = json.dumps(lines(pipeline))
    assert "203.0.113.9" not in text
    assert "unread" not in text
    assert pipeline.rows("select accepted, not_tracked from ops.loads") == [(1, 1)]


def test_a_day_that_has_lost_its_events_is_refused_until_it_is_accepted(
    pipeline: Pipeline, application: Application, extract: Extract
) -> None:
    application.insert(event(1))
    extract(WINDOW)
    before = lines(pipeline)
    application.execute("truncate events")

    with pytest.raises(ApplicationRowsMissing, match=r"0 rows of 2026-10-01, where the warehouse has 1 .*accept_rem"):
        extract(WINDOW, load=False)
    assert lines(pipeline) == before
    assert [found.name for found in (pipeline.landing / "events" / f"dt={START}").iterdir()] == [FILE_NAME]
    extract(WINDOW, accept_removals=True)
    assert pipeline.rows("select count(*) from raw.events") == [(0,)]
    assert not extract(WINDOW).days[0].is_changed


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("drop table events", "no table events"),
        ("alter table events drop column event_type", "events has no column event_type"),
        ("alter table events alter occurred_at type text", "events.occurred_at is of type text"),
        ("alter table attribution drop column event_id", "attribution has no column event_id"),
    ],
)
def test_tables_that_do_not_fit_are_named(
    application: Application, extract: Extract, statement: str, message: str
) -> None:
    application.execute(statement)

    with pytest.raises(ApplicationSchemaError, match=message):
        extract()


def test_an_object_store_is_refused_in_words(application: Application) -> None:
    with connect_application(application.url) as source, pytest.raises(LandingError, match="no folder of this machine"):
        extract_events(source, root=LandingRoot.from_url("s3://bucket/landing"), window=FIRST)


def test_beside_the_applications_events_other_files_are_loaded_only_where_both_are_wanted(
    pipeline: Pipeline, application: Application, extract: Extract, tmp_path: Path
) -> None:
    application.insert(event(1))
    pipeline.land(START, [event(1), event(2)])
    extract(load=False)
    root = LandingRoot.from_url(pipeline.landing)

    from ingestion.landing.files import landing_files

    only = replace(root, only_name=FILE_NAME)
    assert [file.name for file in landing_files(only, FIRST)] == [f"events/dt={START}/{FILE_NAME}"]
    pipeline.load(FIRST)
    assert pipeline.rows("select event_key from raw.events order by 1") == [(str(UUID(int=1)),), (str(UUID(int=2)),)]
    assert pipeline.rows("select count(*) from raw.duplicate_events") == [(1,)]
