"""The whole deployment as `make ui` starts it: web server, daemon and code server; asked as the UI asks, by GraphQL."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.daemon.deployments import LAUNCH_RUN, PATIENCE_SECONDS, DeploymentClient, free_port
from tests.support.dagster_runs import CHECKOUT, DagsterRuns
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

pytestmark = pytest.mark.daemon

DAYS = Window(START, START + 3 * ONE_DAY)
SECOND = START + ONE_DAY
ENDED_BACKFILL = {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}

LAUNCH_BACKFILL = """
mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
} }
"""
BACKFILL = """
query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
    __typename ... on PartitionBackfill { status error { message } } ... on PythonError { message }
} }
"""
SENSOR_TICKS = """
query ($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) {
    ... on Sensor { sensorState { status ticks { status error { message } } } }
} }
"""


class Deployment(DeploymentClient):
    """A running deployment that starts backfills."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        super().__init__(port, log)
        self.process = process

    def ended_backfill(self, backfill_id: str) -> dict[str, Any] | None:
        """A backfill that has ended, None while it runs."""
        backfill: dict[str, Any] = self.ask(BACKFILL, id=backfill_id)["partitionBackfillOrError"]
        return backfill if backfill["status"] in ENDED_BACKFILL else None


@pytest.fixture
def runs(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> DagsterRuns:
    return DagsterRuns(pipeline, monkeypatch)


@pytest.fixture
def deployment(runs: DagsterRuns, tmp_path: Path) -> Iterator[Deployment]:
    """`dg dev` with this checkout's settings on a fresh warehouse; every process of it is gone afterwards."""
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copy(CHECKOUT / ".dagster" / "dagster.yaml", home)
    port, log = free_port(), tmp_path / "dg.log"
    environment = {**os.environ, **runs.environment, **runs.pipeline.warehouse.environment(), "DAGSTER_HOME": str(home)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "orchestration.web.dev", "--use-active-venv"),
                *("--host", "127.0.0.1", "--port", str(port)),
            ],
            cwd=CHECKOUT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deployment = Deployment(process, port, log)
        deployment.wait_until_loaded()
        yield deployment
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for left in _of_session(process.pid):
        os.kill(left, signal.SIGKILL)


def _of_session(session: int) -> list[int]:
    """The processes of a session: also those whose parents have ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            found.append(int(folder.name))
    return found


def refused_status(port: int, path: str, body: bytes | None = None, **headers: str) -> int:
    """The status of a request that is refused."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, names)
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)  # noqa: S310
    return raised.value.code


def assert_other_pages_are_refused(port: int) -> None:
    """Requests that a page which an operator opens elsewhere can make their browser send."""
    mutation = "mutation { terminateRuns(runIds: []) { __typename } }"
    body = json.dumps({"query": mutation}).encode()
    assert refused_status(port, f"/graphql?query={quote(mutation)}") == 405
    assert refused_status(port, "/graphql", body, Content_Type="text/plain; application/json") == 415
    assert refused_status(port, "/graphql", body, Content_Type="application/json", Host="evil.example") == 421
    assert (
        refused_status(port, "/graphql", body, Content_Type="application/json", Origin="http://localhost:8888") == 403
    )


def published(pipeline: Pipeline) -> dict[date, int]:
    if not pipeline.rows("select 1 where to_regclass('marts.daily_metrics') is not null"):
        return {}
    return dict(pipeline.rows("select metric_date, sum(views)::int from marts.daily_metrics group by 1"))


def test_a_partition_and_a_range_are_run_as_the_ui_runs_them(deployment: Deployment, pipeline: Pipeline) -> None:
    for number, day in enumerate(DAYS.days(), 1):
        event = {"eventType": "asset_viewed", "occurredAt": f"{day}T10:00:00Z", "ipAssetId": "asset-0"}
        pipeline.land(day, [event | {"eventId": f"{day} {count}", "anonymousId": "a"} for count in range(number)])

    assert_other_pages_are_refused(deployment.port)

    # The launchpad's button "Materialize" of one partition.
    launched = deployment.ask(
        LAUNCH_RUN,
        params={
            "selector": {**deployment.selector, "jobName": "daily_refresh"},
            "mode": "default",
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": SECOND.isoformat()}]},
        },
    )["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]
    assert deployment.wait_for("the run of one partition", lambda: deployment.ended_run(run_id)) == "SUCCESS"
    assert published(pipeline) == {SECOND: 2}

    # "Materialize all" of a range, which the daemon turns into runs.
    [repository] = deployment.repositories()
    launched = deployment.ask(
        LAUNCH_BACKFILL,
        params={
            "assetSelection": [node["assetKey"] for node in repository["assetNodes"] if node["isExecutable"]],
            "partitionNames": [day.isoformat() for day in DAYS.days()],
        },
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    backfill_id = launched["backfillId"]
    backfill = deployment.wait_for("the backfill", lambda: deployment.ended_backfill(backfill_id))
    assert (backfill["status"], backfill["error"]) == ("COMPLETED_SUCCESS", None), deployment.last_lines()
    of_backfill = deployment.runs(tags=[{"key": "dagster/backfill", "value": backfill_id}])
    assert [run["status"] for run in of_backfill] == ["SUCCESS"], "a range is one run"
    assert published(pipeline) == {day: number for number, day in enumerate(DAYS.days(), 1)}

    # Sensors are on from the start and find the warehouse from within the daemon.
    def ticks(sensor: str) -> Any:
        selector = {**deployment.selector, "sensorName": sensor}
        state = deployment.ask(SENSOR_TICKS, selector=selector)["sensorOrError"]["sensorState"]
        assert state["status"] == "RUNNING"
        return [tick for tick in state["ticks"] if tick["status"] != "STARTED"]

    for sensor in ("stale_days_sensor", "alerts_sensor", "failed_runs_sensor", "repaired_runs_sensor"):
        for tick in deployment.wait_for(f"the first tick of {sensor}", partial(ticks, sensor)):
            assert tick["status"] in {"SKIPPED", "SUCCESS"}, (sensor, tick)
