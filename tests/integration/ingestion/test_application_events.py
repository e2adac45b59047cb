"""The application's tables `events` and `attribution` as a source of events: on two databases of a real server."""

import gzip
import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from ingestion.application.events import (
    FILE_NAME,
    ApplicationEventsOnly,
    ExtractionReport,
    extract_events,
    loaded_lines,
)
from ingestion.application.source import ApplicationSchemaError, connect_application
from ingestion.application.watermarks import ApplicationRowsMissing
from ingestion.landing.files import LandingError, LandingRoot
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

WINDOW = Window(START, START + 3 * ONE_DAY)
FIRST = Window.day(START)
TABLES = """
create table events (
    id uuid, occurred_at timestamptz, source text, event_type text, actor_type text, actor_id text, project_id text,
    ip_asset_id text, license_id text, props_json jsonb, session_id uuid, ip_address inet, note text default 'unread'
);
create table attribution (
    event_id uuid, utm_source text, utm_medium text, utm_campaign text, utm_term text, utm_content text,
    referrer text, landing_page text, device_type text, browser text, os text, id serial
)
"""
COLUMNS = {
    "eventId": "id", "occurredAt": "occurred_at", "source": "source", "eventType": "event_type",
    "actorType": "actor_type", "actorId": "actor_id", "projectId": "project_id", "ipAssetId": "ip_asset_id",
    "licenseId": "license_id", "props": "props_json", "sessionId": "session_id",
}  # fmt: skip
ATTRIBUTION_COLUMNS = {
    "utmSource": "utm_source", "utmMedium": "utm_medium", "utmCampaign": "utm_campaign", "referrer": "referrer",
    "landingPage": "landing_page", "deviceType": "device_type", "browser": "browser", "os": "os",
}  # fmt: skip

Extract = Callable[..., ExtractionReport]


class Application:
    """The application's database. Writes events, given as the contract has them, into its tables."""

    def __init__(self, url: str) -> None:
        self.url = url

    def execute(self, statement: str, *parameters: object) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement, parameters or None)

    def insert(self, event: Mapping[str, Any]) -> None:
        self._insert("events", {COLUMNS[key]: event[key] for key in COLUMNS if key in event})
        if "attribution" in event or "context" in event:
            given = event.get("attribution", {}) | event.get("context", {})
            self._insert(
                "attribution",
                {"event_id": event["eventId"]} | {ATTRIBUTION_COLUMNS[key]: value for key, value in given.items()},
            )

    def _insert(self, table: str, row: Mapping[str, Any]) -> None:
        values = [Jsonb(value) if isinstance(value, dict) else value for value in row.values()]
        with psycopg.connect(self.url) as connection:
            connection.execute(
                sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(sql.Placeholder() * len(row)),
                ),
                values,
            )


@pytest.fixture
def application(pipeline: Pipeline) -> Application:
    assert pipeline.warehouse.application_url is not None
    application = Application(pipeline.warehouse.application_url)
    application.execute(TABLES)
    return application


@pytest.fixture
def extract(application: Application, pipeline: Pipeline) -> Extract:
    """Writes the landing files of a window, as the asset does, and loads them."""

    def run(window: Window = FIRST, *, load: bool = True, **options: Any) -> ExtractionReport:
        with connect_application(application.url) as source:
            report = extract_events(
                source,
                root=LandingRoot.from_url(pipeline.landing),
                window=window,
                loaded=loaded_lines(pipeline.connection, window),
                **options,
            )
        if load:
            pipeline.load(window)
        return report

    return run


def lines(pipeline: Pipeline, day: date = START) -> list[dict[str, Any]]:
    content = gzip.decompress((pipeline.landing / "events" / f"dt={day}" / FILE_NAME).read_bytes())
    return [json.loads(line) for line in content.splitlines()]


def event(number: int = 1, **more: Any) -> dict[str, Any]:
    at = datetime(START.year, START.month, START.day, 10, number % 60, tzinfo=UTC)
    return {"eventId": str(UUID(int=number)), "occurredAt": at.isoformat(), "eventType": "asset_viewed", **more}


def some_events(seed: int) -> list[dict[str, Any]]:
    """Events of three days: people in sessions who view, click and license, some of them led there by something."""
    chance = random.Random(seed)  # noqa: S311
    events = []
    for number in range(60):
        at = datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(seconds=chance.randrange(3 * 86_400))
        some = event(
            number,
            occurredAt=at.isoformat(),
            eventType=chance.choice(["asset_viewed", "asset_viewed", "license_clicked", "license_created"]),
            source=chance.choice(["web", "mobile", "api"]),
            sessionId=str(UUID(int=chance.randrange(9))),
            ipAssetId=f"asset-{chance.randrange(3)}",
            props={"revenueCents": chance.randrange(10_000), "engagementTime": chance.randrange(900) / 8, "näme": None},
        )
        if chance.random() < 0.5:
            some |= {"actorId": f"user-{chance.randrange(3)}", "actorType": "brand", "projectId": "project-1"}
        if chance.random() < 0.5:
            some["attribution"] = chance.choice(
                [{"utmSource": "google", "utmMedium": "cpc"}, {"referrer": "https://www.reddit.com/r/art"}]
            )
        if chance.random() < 0.3:
            some["context"] = {"deviceType": "mobile", "browser": "Firefox", "os": "Android"}
        if chance.random() < 0.1:
            some["eventType"] = "No Type"
        events.append(some)
    return events


def test_events_end_at_the_same_tables_whether_they_come_as_files_or_from_the_application(
    pipeline: Pipeline, application: Application, extract: Extract
) -> None:
    """All columns are equal but those of provenance; the canonical hash too, where files say just what the tables do.
    Of rejected events the line is another, since keys have an order there."""
    events = some_events(1)
    for some in events:
        application.insert(some)
    for day in WINDOW.days():
        pipeline.land(day, [some for some in events if some["occurredAt"].startswith(str(day))])
    pipeline.run(WINDOW)
    expected = pipeline.contents()
    rejected = "select reasons, event_date from raw.rejected_events order by 1"
    expected_rejections = pipeline.rows(rejected)
    for table in ("raw.events", "raw.attribution", "raw.rejected_events", "marts.daily_metrics_by_channel"):
        assert expected[table], f"this test shows nothing: {table} is empty"

    pipeline.wipe()
    assert sum(day.events for day in extract(Window(WINDOW.start, WINDOW.end + ONE_DAY)).days) == len(events)
    pipeline.run(WINDOW)
    actual = pipeline.contents()
    assert pipeline.rows(rejected) == expected_rejections
    for table in expected.keys() - {"raw.rejected_events"}:
        assert actual[table] == expected[table], table


def test_a_second_extraction_changes_no_file_and_loads_nothing(
    pipeline: Pipeline, application: Application, extract: Extract
) -> None:
    for number in range(5):
        application.insert(event(number, attribution={"utmSource": "google"}))
    first = extract(WINDOW)
    path = pipeline.landing / "events" / f"dt={START}" / FILE_NAME
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    application.execute("create table copied as table events; truncate events")
    application.execute("insert into events select * from copied order by id desc")

    second = extract(WINDOW)
    assert [day.is_changed for day in first.days] == [True, False, False]
    assert [(day.events, day.is_changed) for day in second.days] == [(5, False), (0, False), (0, False)]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert pipeline.rows("select count(*), sum(lines_read) from ops.loads") == [(1, 5)]
    assert [found.name for found in path.parent.iterdir()] == [FILE_NAME], "nothing unfinished is left behind"


def test_a_corrected_row_replaces_its_event_and_a_deleted_one_takes_it_away(
    pipeline: Pipeline, application: Application, extract: Extract
) -> None:
    for number in range(1, 4):
        application.insert(event(number))
    extract()
    application.execute("update events set event_type = 'asset_shared' where id = %s", UUID(int=1))
    application.execute("delete from events where id = %s", UUID(int=2))
    application.execute("update events set occurred_at = occurred_at + interval '1 day' where id = %s", UUID(int=3))
    extract(WINDOW)

    assert pipeline.rows("select event_key, event_type, event_date from raw.events order by 1") == [
        (str(UUID(int=1)), "asset_shared", START),
        (str(UUID(int=3)), "asset_viewed", START + ONE_DAY),
    ]


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

    only = LandingRoot(ApplicationEventsOnly(root.storage), root.incomplete)
    assert [file.name for file in landing_files(only, FIRST)] == [f"events/dt={START}/{FILE_NAME}"]
    pipeline.load(FIRST)
    assert pipeline.rows("select event_key from raw.events order by 1") == [(str(UUID(int=1)),), (str(UUID(int=2)),)]
    assert pipeline.rows("select count(*) from raw.duplicate_events") == [(1,)]
