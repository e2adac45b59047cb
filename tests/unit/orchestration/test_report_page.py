"""The report behind Dagster's web server: the file as it was last written, or a sentence."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from orchestration.web import report_page
from tests.support.code_location import settings_read_again


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=[report_page.route("/prefix")]))


def test_the_page_is_served_as_it_was_last_written(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.code_location import SETTINGS

    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WAREHOUSE_EXPORTS", str(tmp_path))
    with settings_read_again():
        missing = client.get("/prefix/report")
        assert missing.status_code == 404
        assert "`warehouse report`" in missing.text
        (tmp_path / "report.html").write_text("<title>One</title>")
        assert client.get("/prefix/report").text == "<title>One</title>"
        (tmp_path / "report.html").write_text("<title>Two</title>")
        served = client.get("/prefix/report")
    assert served.text == "<title>Two</title>"
    assert served.headers["content-type"] == "text/html; charset=utf-8"
    assert served.headers["cache-control"] == "no-store"
