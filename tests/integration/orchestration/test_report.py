"""The report that publications write: linked from the run, never in the way of the days, and rid of erased persons."""

from pathlib import Path

import dagster as dg
import pytest

from ingestion.application.source import connect_application
from ingestion.subjects import requests
from ingestion.subjects.requests import RequestKind
from ingestion.subjects.subject import NamedIds
from orchestration.reports import writing
from orchestration.reports.place import report_in
from tests.integration.orchestration.one_view import DAY, view
from tests.integration.orchestration.test_erase_subject import run_job
from tests.support.code_location import EXPORTS
from tests.support.dagster_runs import DagsterRuns
from tests.support.html_pages import read_page
from tests.support.pipeline import START

REPORT = report_in(str(EXPORTS))


@pytest.fixture(autouse=True)
def no_report() -> None:
    REPORT.unlink(missing_ok=True)


@pytest.mark.slow
def test_a_publication_writes_the_report_and_links_it(runs: DagsterRuns) -> None:
    runs.pipeline.land(START, [view(START, "one"), "no json"])
    run = runs.run(DAY)
    assert run.is_success, run.error
    metadata = run.metadata("marts/platform_metrics")[START.isoformat()]
    assert metadata["report"] == "http://127.0.0.1:3000/report"
    assert metadata["report_file"] == str(REPORT)
    assert REPORT.stat().st_mode & 0o777 == 0o600
    page = read_page(REPORT.read_text())
    assert [row[4] for row in page.rows("What ran")] == [run.run_id[:8]]
    assert "Thursday, 1 October 2026" in page.said("The platform")
    # What is wrong now is there in the doctor's words.
    assert "day not published in time: 2026-10-02 to " in page.said("The last night")


def test_a_report_that_cannot_be_written_is_a_warning_of_the_run(
    runs: DagsterRuns, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    is_folder = tmp_path / "report.html"
    is_folder.mkdir()
    with dg.build_asset_context() as context:
        assert writing.write_after_publication(context, runs.pipeline.warehouse, is_folder) == {}
    assert "the days are published, but the report was not written: " in capfd.readouterr().err
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.slow
def test_after_an_erasure_the_report_does_not_hold_the_person(runs: DagsterRuns) -> None:
    pipeline = runs.pipeline
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        application.execute(
            f"insert into users values ('person-ana', null, 'creator', '{START}', null);"
            f"insert into creators values ('creator-ana', 'person-ana', 'Ana of the Hills', '{START}', null);"
            f"insert into ip_assets values ('asset-1', 'Song', 'music', 'person-ana', '{START}', null);"
            f"insert into ip_ownerships values ('o-1', 'asset-1', 'creator-ana', 10000, '{START}', null);"
        )
        application.commit()
    pipeline.land(START, [view(START, "one"), view(START, "two", actorId="person-ana", actorType="user")])
    pipeline.read_application(START)
    pipeline.run(DAY)
    writing.write(pipeline.warehouse, REPORT)
    draft = REPORT.with_name(".report.html.17.tmp")
    draft.write_text("Ana of the Hills")
    assert "Creator Ana of the Hills" in read_page(REPORT.read_text()).texts

    request_id = requests.create_request(
        pipeline.connection, RequestKind.ERASE, NamedIds(persons=("person-ana",)), requested_by="a test"
    )
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_job(runs, instance, "erase_subject", request_id).success
    assert not draft.exists()
    page = REPORT.read_text()
    assert [secret for secret in ("Ana of the Hills", "person-ana", "creator-ana") if secret in page] == []
    assert read_page(page).rows("Assets with the most revenue")[0][0] == "Song"
