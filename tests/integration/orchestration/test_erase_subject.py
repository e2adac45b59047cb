"""The job erase_subject on a published warehouse: nothing is left, and every number is as without the person."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ingestion.subjects import requests
from ingestion.subjects.requests import RequestKind
from ingestion.subjects.subject import NamedIds
from tests.integration.ingestion.subjects.subject_requests import landing_text, stored_text
from tests.support.code_location import definitions
from tests.support.dagster_runs import DagsterRuns
from tests.support.pipeline import COMPARED_SCHEMAS, START, Pipeline
from warehouse.window import Window

NEXT = START + timedelta(days=1)
LAST = NEXT + timedelta(days=1)
DAYS = Window(START, LAST + timedelta(days=1))
# Not all days, so that rollups are updated and not made anew.
DAYS_OF_ANA = (NEXT, LAST)
SECRETS = ("person-ana", "device-ana", "11111111-2222-4333-8444-555555555555", "key-of-ana", "anas-search")


def visit(day: Any, person: str, hour: int, event_type: str = "asset_viewed", **fields: Any) -> dict[str, Any]:
    return {
        "eventType": event_type,
        "occurredAt": f"{day}T{hour:02}:00:00Z",
        "idempotencyKey": f"key-of-{person}-{day}-{hour}-{event_type}",
        "actorId": f"person-{person}",
        "anonymousId": f"device-{person}",
        "entityType": "asset",
        "entityId": "asset-1",
        **fields,
    }


def land(pipeline: Pipeline, *, with_ana: bool) -> None:
    for day in DAYS.days():
        lines = [
            visit(day, "ben", 9, attribution={"utmSource": "mail", "utmMedium": "email"}),
            visit(day, "ben", 10, "license_created", props={"revenueCents": 500}),
            # A session over midnight, so that days depend on each other.
            visit(day, "eve", 23),
        ]
        has_ana = with_ana and day in DAYS_OF_ANA
        if has_ana:
            lines += [
                visit(day, "ana", 9, sessionId=SECRETS[2], attribution={"utmSource": "ads", "utmMedium": "cpc"}),
                visit(day, "ana", 11, "license_created", props={"revenueCents": 900, "query": "anas-search"}),
                visit(day, "ana", 23),
            ]
        pipeline.land(day, [*lines, "no JSON", *(['{"actorId": "person-ana"}'] if has_ana else [])])


def run_job(runs: DagsterRuns, instance: dg.DagsterInstance, job: str, request_id: Any) -> dg.ExecuteInProcessResult:
    config = {"ops": {f"{job}_op": {"config": {"request": str(request_id)}}}}
    resolved = definitions().resolve_job_def(job)
    return resolved.execute_in_process(instance=instance, run_config=config, raise_on_error=False)


@pytest.mark.slow
def test_nothing_of_a_person_is_left_and_every_table_is_as_without_them(runs: DagsterRuns, tmp_path: Path) -> None:
    pipeline = runs.pipeline
    land(pipeline, with_ana=False)
    pipeline.read_application(START)
    pipeline.run(DAYS)
    expected = pipeline.contents(COMPARED_SCHEMAS)
    land(pipeline, with_ana=True)
    pipeline.run(DAYS)
    assert pipeline.contents(COMPARED_SCHEMAS) != expected
    # What earlier runs may have left of her.
    pipeline.connection.execute("create schema if not exists dagster")
    pipeline.connection.execute(
        "create table dagster.run_tags (id bigint primary key, run_id text, key text, value text)"
    )
    pipeline.connection.execute("insert into dagster.run_tags values (1, 'r', 'k', 'events of user person-ana.')")

    request_id = requests.create_request(
        pipeline.connection, RequestKind.ERASE, NamedIds(persons=("person-ana",)), requested_by="a test"
    )
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        left = Path(instance.storage_directory()) / "a-run" / "compute_logs" / "step.err"
        left.parent.mkdir(parents=True)
        left.write_text(f"dbt said: person-ana, key-of-ana-{NEXT}-9-asset_viewed and person-ben\n")
        result = run_job(runs, instance, "erase_subject", request_id)
        log = "\n".join(entry.user_message for entry in instance.all_logs(result.run_id))
        assert result.success, log
        again = run_job(runs, instance, "erase_subject", request_id)
        assert again.success
        logs = "".join(path.read_text(errors="replace") for path in (tmp_path / "home").rglob("*") if path.is_file())
        assert "person-ben" in left.read_text()

    found_rows = pipeline.contents(COMPARED_SCHEMAS)
    assert {table: rows for table, rows in found_rows.items() if rows != expected[table]} == {}
    # Rollups by key hold what the last run has touched, deletions too.
    everywhere = {
        "tables": stored_text(pipeline, [*COMPARED_SCHEMAS, "ops", "dagster", "staging"]),
        "landing": landing_text(pipeline.landing),
        "logs": logs + log,
    }
    found = [(place, secret) for place, text in everywhere.items() for secret in SECRETS if secret in text]
    assert not found
    assert "person-ben" in everywhere["tables"]
    ((rows, days, files, is_complete),) = pipeline.rows(
        "select table_rows -> 'raw.events' ->> 'erased', event_dates, files_rewritten, completed_at is not null"
        " from ops.erasures"
    )
    assert (rows, set(days), files, is_complete) == ("6", set(DAYS_OF_ANA), 2, True)
