"""A whole Dagster deployment under test, asked as the UI asks: by GraphQL."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.support.dagster_runs import CHECKOUT
from warehouse.connection import Warehouse

# Twenty times what it takes on a quiet machine.
PATIENCE_SECONDS = 240
ENDED_RUN = {"SUCCESS", "FAILURE", "CANCELED"}

# What `make ui` runs, for the embedded server of another folder, and at a port that the test knows.
PROGRAM = """
import os, sys
from pathlib import Path
from orchestration.cli.dagster_process import Deployment
from warehouse.embedded.server import EmbeddedServer
from orchestration.cli.supervision import supervise
from warehouse.connection import Warehouse
server = EmbeddedServer(Path(sys.argv[1]), durable=False)
home, options = Path(sys.argv[2]), sys.argv[3:]
say = lambda text: print(text, flush=True)
sys.exit(supervise(Deployment(home), Warehouse.from_embedded(server, os.environ), server, say, options=options))
"""

LOCATION = """
{ workspaceOrError { ... on Workspace { locationEntries {
    name loadStatus locationOrLoadError {
        ... on PythonError { message }
        ... on RepositoryLocation { repositories { name assetNodes { assetKey { path } isExecutable } } }
    }
} } } }
"""
LAUNCH_RUN = """
mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
} }
"""
RUNS = """
query ($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs { results { runId status } } } }
"""
MESSAGES = """
query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { ... on MessageEvent { message } } } } }
"""


class DeploymentClient:
    """A deployment that runs, asked by GraphQL. A subclass sets the process when it has started one."""

    process: "subprocess.Popen[bytes]"

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log
        self.selector = {"repositoryLocationName": "warehouse", "repositoryName": ""}

    def wait_until_loaded(self) -> None:
        """Wait until the code location is loaded, and keep the name of its repository."""
        [repository] = self.wait_for("loading the code location", self.repositories)
        self.selector["repositoryName"] = repository["name"]

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a GraphQL answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:  # noqa: S310
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            answer = error.read().decode(errors="replace")
            raise AssertionError(f"{error}: {answer[:2_000]}\n{self.last_lines()}") from error
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def wait_for(self, what: str, ended: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS) -> Any:
        """Ask until there is an answer; what the deployment wrote is in the error when it never comes."""
        deadline = time.monotonic() + seconds
        while not (answer := ended()):
            assert self.process.poll() is None, f"the deployment has ended:\n{self.last_lines()}"
            assert time.monotonic() < deadline, f"{what} took more than {seconds} s:\n{self.last_lines()}"
            time.sleep(0.3)
        return answer

    def last_lines(self) -> str:
        """Return the last lines that the deployment wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-60:])

    def repositories(self) -> list[dict[str, Any]]:
        """The repositories of the code location, none while it is being loaded."""
        try:
            entries = self.ask(LOCATION)["workspaceOrError"]["locationEntries"]
        except (urllib.error.URLError, ConnectionError):
            return []
        for entry in entries:
            if entry["loadStatus"] == "LOADED" and entry["locationOrLoadError"]:
                assert "message" not in entry["locationOrLoadError"], entry
                assert entry["name"] == "warehouse"
                found: list[dict[str, Any]] = entry["locationOrLoadError"]["repositories"]
                return found
        return []

    def runs(self, **filters: Any) -> list[dict[str, str]]:
        """Run ids and statuses."""
        found: list[dict[str, str]] = self.ask(RUNS, filter=filters)["runsOrError"]["results"]
        return found

    def status(self, run_id: str) -> str:
        """A run's status."""
        [run] = self.runs(runIds=[run_id])
        return run["status"]

    def ended_run(self, run_id: str) -> str | None:
        """A run's last status, None while it runs."""
        status = self.status(run_id)
        return status if status in ENDED_RUN else None


class RunningDeployment(DeploymentClient):
    """A deployment that the test starts, stops and kills, on the embedded server of a folder."""

    def __init__(self, home: Path, environment: Mapping[str, str], *, checkout: Path) -> None:
        super().__init__(free_port(), home / "dg.log")
        self.home, self._environment, self._checkout = home, environment, checkout

    def start(self) -> None:
        """Start it, and wait until its code location is loaded."""
        self.home.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / ".dagster" / "dagster.yaml", self.home)
        options = ["--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(self._checkout), str(self.home), *options],
                cwd=CHECKOUT,
                env={**os.environ, **self._environment, "DAGSTER_HOME": str(self.home)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_until_loaded()

    def end(self) -> None:
        """End it, whatever state it is in."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=90)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def launch(self, day: object) -> str:
        """Run a partition as the launchpad's button does; the run's id."""
        launched = self.ask(
            LAUNCH_RUN,
            params={
                "selector": {**self.selector, "jobName": "daily_refresh"},
                "mode": "default",
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": str(day)}]},
            },
        )["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def messages(self, run_id: str) -> str:
        """Return the run's log."""
        events = self.ask(MESSAGES, id=run_id)["logsForRun"]["events"]
        return "\n".join(str(event.get("message")) for event in events)


def environment_of(warehouse: Warehouse, settings: Mapping[str, str]) -> dict[str, str]:
    """The variables of a deployment on this warehouse."""
    return {**settings, **warehouse.environment()}


def free_port() -> int:
    """Return a port of loopback without a listener."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
