"""Processes that end with the one that started them, also when that one is killed."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.support.dagster_runs import CHECKOUT

# A parent that starts a child and prints its process id.
STARTED_BY_US = """
import os, sys, time
from warehouse import child_processes
child = child_processes.start([sys.executable, "-c", "import time; time.sleep(600)"], environment=os.environ)
print(child.pid, flush=True)
time.sleep(600)
"""
# A parent that knows nothing of that, as dagster_dbt; the child looks after itself, as dbt_process does.
LOOKS_AFTER_ITSELF = """
import subprocess, sys, time
code = "from warehouse.child_processes import end_with_parent; end_with_parent(); import time; time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(params=[STARTED_BY_US, LOOKS_AFTER_ITSELF], ids=["started by us", "looks after itself"])
def family(request: pytest.FixtureRequest) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    parent = subprocess.Popen(
        [sys.executable, "-c", request.param],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    yield parent, child
    parent.kill()
    parent.wait()
    parent.stdout.close()
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux distinguishes a foreign process from one that has ended"
)
def test_a_child_ends_when_its_parent_is_killed(family: tuple["subprocess.Popen[str]", int]) -> None:
    parent, child = family
    time.sleep(1)  # the child has to be under way to look after itself
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while is_running(child):
        assert time.monotonic() < deadline, "the child has outlived its parent"
        time.sleep(0.1)


def is_running(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as status:  # noqa: PTH123
            return status.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
