"""The assets that read the application's database, as Dagster runs them: what their settings and run config do."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import psycopg
import pytest

from tests.support.code_location import definitions
from tests.support.dagster_runs import GOLDEN_APPLICATION
from tests.support.keys import HASH_KEY
from tests.support.pipeline import START, Pipeline

EVENTS = """
create table events (id text, occurred_at timestamptz, event_type text, note text);
create table attribution (event_id text, utm_source text);
insert into events values ('e1', '2026-10-01 10:00+00', 'page_viewed'), ('e2', null, 'page_viewed');
insert into attribution values ('e1', 'b'), ('e1', 'a')
"""

Materialize = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def execute(pipeline: Pipeline) -> Callable[[str], None]:
    def run(statement: str) -> None:
        assert pipeline.warehouse.application_url is not None
        with psycopg.connect(pipeline.warehouse.application_url) as application:
            application.execute(statement)

    return run


@pytest.fixture
def materialize(pipeline: Pipeline) -> Materialize:
    definitions()  # reads the settings of the tests, which the modules of assets need
    from orchestration.defs.assets import raw_application_tables, raw_events
    from orchestration.defs.resources import SourcesResource, WarehouseResource, WriterResource

    steps = {"raw_events": raw_events, "raw_application_tables": raw_application_tables}

    def run(step: str, config: dict[str, Any] | None = None, **sources: Any) -> dg.ExecuteInProcessResult:
        warehouse = WarehouseResource(url=pipeline.warehouse.url)
        return dg.materialize(
            [getattr(steps[step], step)],
            partition_key=START.isoformat(),
            run_config={"ops": {step: {"config": config}}} if config else None,
            resources={
                "warehouse": warehouse,
                "writer": WriterResource(warehouse=warehouse),
                "sources": SourcesResource(
                    landing_url=str(pipeline.landing),
                    application_url=pipeline.warehouse.application_url,
                    hash_key=HASH_KEY,
                    start_date=START.isoformat(),
                    **sources,
                ),
            },
            raise_on_error=False,
        )

    return run


def failure(result: dg.ExecuteInProcessResult) -> Any:
    [event] = [event for event in result.all_events if event.is_step_failure or event.is_step_up_for_retry]
    assert event.is_step_failure, "nothing is gained by trying again"
    return event.step_failure_data


@pytest.mark.parametrize(("event_source", "keys"), [("files", {"f"}), ("application", {"e1"}), ("both", {"e1", "f"})])
def test_events_come_from_where_the_setting_says(
    pipeline: Pipeline, execute: Callable[[str], None], materialize: Materialize, event_source: str, keys: set[str]
) -> None:
    execute(EVENTS)
    pipeline.land(START, [{"eventId": "f", "occurredAt": f"{START}T10:00:00Z", "eventType": "page_viewed"}])

    run = materialize("raw_events", event_source=event_source)
    assert run.success
    assert {key for (key,) in pipeline.rows("select event_key from raw.events")} == keys
    if event_source != "files":
        metadata = {
            name: value.value
            for found in run.asset_materializations_for_node("raw_events")
            for name, value in found.metadata.items()
        }
        assert metadata["application_events"] == metadata["application_events_with_several_attributions"] == 1
        assert metadata["application_events_without_a_time"] == 1


def test_lost_events_stop_the_run_until_its_config_accepts_it(
    pipeline: Pipeline, execute: Callable[[str], None], materialize: Materialize
) -> None:
    execute(EVENTS)
    assert materialize("raw_events", event_source="application").success
    execute("truncate events")

    assert "accept_removals: true" in str(failure(materialize("raw_events", event_source="application")).error)
    assert pipeline.rows("select count(*) from raw.events") == [(1,)]
    assert materialize("raw_events", {"accept_removals": True}, event_source="application").success
    assert pipeline.rows("select count(*) from raw.events") == [(0,)]


def test_lost_rows_of_a_table_stop_the_run_until_its_config_accepts_it(
    pipeline: Pipeline, execute: Callable[[str], None], materialize: Materialize
) -> None:
    execute(GOLDEN_APPLICATION.read_text())
    assert materialize("raw_application_tables").success
    execute("truncate licenses")

    assert "accept_removals: [licenses]" in str(failure(materialize("raw_application_tables")).error)
    wrong = failure(materialize("raw_application_tables", {"accept_removals": ["license"]}))
    assert "names no table of the application: license" in str(wrong.error)
    assert materialize("raw_application_tables", {"accept_removals": ["licenses"], "is_full": True}).success
    assert pipeline.rows("select count(*) > 0 from raw.licenses where is_removed") == [(True,)]
