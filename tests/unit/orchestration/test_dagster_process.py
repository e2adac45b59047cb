"""One Dagster a checkout, found again and stopped; a stand-in process plays `dg dev`."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.cli.dagster_process import Deployment, DeploymentError, make_home

# Becomes another program while it holds the lock, as `make ui` does.
BECOMES_A_SLEEPER = """
import os, sys
from pathlib import Path
from orchestration.cli.dagster_process import Deployment
Deployment(Path(sys.argv[1])).command()
os.execv(sys.executable, [sys.executable, "-c", "import time; print('runs', flush=True); time.sleep(600)"])
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", BECOMES_A_SLEEPER, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "runs\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_stopping_ends_the_process_and_nothing_is_left_to_stop(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    deployment = Deployment(tmp_path)

    assert deployment.stop()

    assert running.wait(timeout=10) != 0
    assert not deployment.stop()


def test_a_second_one_is_refused_while_the_first_runs(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    with pytest.raises(DeploymentError, match=rf"process {running.pid}\).*make stop"):
        Deployment(tmp_path).command()


def test_the_process_number_of_a_dead_one_is_nobodys(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    running.kill()
    running.wait()
    # Another process may have the number now.
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        (tmp_path / "ui.lock").write_text(str(bystander.pid))

        assert not Deployment(tmp_path).stop()

        with pytest.raises(subprocess.TimeoutExpired):
            bystander.wait(timeout=0.3)
    finally:
        bystander.kill()
        bystander.wait()


def test_where_none_was_ever_started_there_is_nothing_to_stop(tmp_path: Path) -> None:
    assert not Deployment(tmp_path / "never").stop()


def test_a_folder_of_dagster_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeploymentError, match=r"file/home cannot be created: Not a directory; correct DAGSTER_HOME"):
        make_home(str(tmp_path / "file" / "home"))
    assert make_home(str(tmp_path / "new" / "home")).is_dir()
