"""In CI no test is skipped for want of something that could be installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from warehouse.connection import CHECKOUT

HERE = os.environ | {"PYTHONPATH": str(CHECKOUT)}
TESTS = """
import pytest

@pytest.mark.skipif(True, reason="{reason}")
def test_with_a_driver():
    pass

def test_of_the_rest():
    pass
"""


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize(
    ("reason", "code"),
    [("no ODBC driver is installed", 1), ("only root has to hand the server to another account", 0)],
)
def test_a_skip_fails_the_run_unless_its_reason_is_known(tmp_path: Path, workers: str, reason: str, code: int) -> None:
    (tmp_path / "conftest.py").write_text((CHECKOUT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_drivers.py").write_text(TESTS.format(reason=reason))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-n", workers, "--only-known-skips", "-p", "no:cacheprovider"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=HERE)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("test_drivers.py::test_with_a_driver: no ODBC driver" in done.stdout) == (code == 1)


def test_without_the_option_a_skip_says_its_reason_and_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((CHECKOUT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_drivers.py").write_text(TESTS.format(reason="no ODBC driver is installed"))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=HERE)
    assert done.returncode == 0
    assert "no ODBC driver is installed" in done.stdout
