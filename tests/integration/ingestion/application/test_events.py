"""The application's tables `events` and `attribution` as a source of events, on two databases of a real server."""

from uuid import UUID

from ingestion.application.events import (
    FILE_NAME,
)
from tests.integration.ingestion.application.event_source import WINDOW, Application, Extract, event, some_events
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window


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
