"""Every command of the README and docs/operate.md, in a copy of the checkout with a server, and interrupted demos."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from warehouse.connection import CHECKOUT
from warehouse.embedded.server import EmbeddedServer

pytestmark = pytest.mark.daemon

README = "\n".join((CHECKOUT / page).read_text() for page in ("README.md", "docs/operate.md"))
PATIENCE_SECONDS = 540
# As `make demo`, with a sample of two days and few events.
SMALL_DEMO = """
import functools, sys
import sample_data
sample_data.Marketplace = functools.partial(sample_data.Marketplace, events_per_day=300)
from sample_data import demo, sample_days
sample_days.DAYS = 2
sys.exit(demo.main())
"""
# What other tests run, or a machine without a network cannot.
ELSEWHERE = {
    "make demo": "below, with a smaller sample",
    "make test": "this is it",
    "make lint": ".ci/run",
    "make docs": ".ci/run",
    "make ui": "test_dagster_deployment.py, test_kills.py",
    "make bi": ".ci/bi",
    "make bench": "takes minutes",
    "make lock": "asks a package index",
    "make install": "what every other target does first",
    ".ci/run": "runs this",
    ".ci/prepare": ".ci/run",
}


def blocks() -> list[str]:
    """The README's shell commands, as they stand there."""
    return [
        re.sub(r"^  ", "", text, flags=re.MULTILINE) for text in re.findall(r" *```sh\n(.*?) *```", README, re.DOTALL)
    ]


def named_targets() -> set[str]:
    """The targets of make that it names."""
    return {f"make {name}" for name in re.findall(r"(?:`|^)make (?:-s )?([a-z]+)", README, re.MULTILINE)}


@pytest.fixture(scope="module")
def copy(open_folder: Path) -> Iterator[Path]:
    """Return the files that a clone of the repository holds."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    target = open_folder / "readme" / "checkout"
    for name in filter(None, listed.split("\0")):
        if (CHECKOUT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, target / name)
    # What is installed serves the copy too, and is not installed again.
    for name in ("pyproject.toml", "requirements.lock"):
        os.utime(target / name, (0, 0))
    (target / ".venv").symlink_to(sys.prefix)
    shell(target, "make -s .env.local")
    yield target
    subprocess.run(["make", "-s", "stop"], cwd=target, check=False, env=environment_of(target))  # noqa: S607
    EmbeddedServer(target).remove()


def environment_of(checkout: Path) -> Mapping[str, str]:
    """Return the environment of a shell without settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH"}
    }
    return kept | {"PYTHONPATH": str(checkout)}


def shell(checkout: Path, command: str) -> str:
    """Return the standard output of a command that must succeed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],  # noqa: S607
        cwd=checkout,
        env=environment_of(checkout),
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def start_demo(checkout: Path, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "orchestration", "exec", "--", sys.executable, "-u", "-c", SMALL_DEMO],
            cwd=checkout,
            env=environment_of(checkout),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_for_text(log: Path, text: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while text not in log.read_text(errors="replace"):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def programs_in(checkout: Path) -> list[str]:
    """Return the command lines of processes that still run in a checkout or below it, without its server."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_there = (folder / "cwd").readlink().is_relative_to(checkout)
            command = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        if is_there and command and "postgres" not in command:
            found.append(command)
    return found


def test_every_command_of_the_readme_is_known_to_a_test() -> None:
    in_blocks = {f"make {name}" for block in blocks() for name in re.findall(r"make (?:-s )?([a-z]+)", block)}
    run_here = {"make dsn", "make env", "make stop", "make backup", "make restore", "make help", "make report"}
    assert in_blocks | named_targets() <= run_here | set(ELSEWHERE)


@pytest.mark.timeout(1500)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the processes of a session as files")
def test_a_new_checkout_from_an_interrupted_demo_to_every_command_of_the_readme(copy: Path, tmp_path: Path) -> None:
    # A demo that is ended takes its children along.
    log = tmp_path / "interrupted.log"
    interrupted = start_demo(copy, log)
    wait_for_text(log, "raw_application_tables: ", interrupted)
    interrupted.send_signal(signal.SIGTERM)
    assert interrupted.wait(timeout=90) == -signal.SIGINT
    assert "interrupted: ending the run" in log.read_text()
    deadline = time.monotonic() + 60
    while (left := programs_in(copy)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert left == []

    # Of two at once the second waits for the first, in words, and then has nothing to do.
    logs = [tmp_path / "first.log", tmp_path / "second.log"]
    first = start_demo(copy, logs[0])
    wait_for_text(logs[0], "Dagster starts", first)
    second = start_demo(copy, logs[1])
    assert [first.wait(PATIENCE_SECONDS), second.wait(PATIENCE_SECONDS)] == [0, 0], [log.read_text() for log in logs]
    said = logs[1].read_text()
    assert re.search(r"another make demo is at work here \(process \d+\): waiting until it has ended", said)
    assert "all 2 days are published and none is stale: there is nothing to do" in said
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert f"days published   2 ({yesterday - timedelta(days=1)} to {yesterday})" in logs[0].read_text()
    assert f"WAREHOUSE_START_DATE={yesterday - timedelta(days=1)}\n" in (copy / ".env.local").read_text()

    # The README's own words.
    commands = [block for block in blocks() if not block.startswith("make demo")]
    assert len(commands) >= 3
    for command in commands:
        # The sample has no day without events: the example is one of a warehouse that begins before it.
        shell(copy, f"export WAREHOUSE_START_DATE=2026-10-01; {command}" if "silent" in command else command)
    assert (copy / "warehouse.dump").stat().st_mode & 0o777 == 0o600
    runs = shell(copy, 'eval "$(make -s env)"; psql -Atc "select run_tags.value, count(*) from dagster.runs'
                 " inner join dagster.run_tags on run_tags.run_id = runs.run_id and key = \'.dagster/repository\'"
                 " group by 1\"")  # fmt: skip
    assert re.fullmatch(r"__repository__@warehouse\|\d+\n", runs), "the timeline shows runs of the command line"
    assert "daily_metrics" in shell(copy, 'eval "$(make -s env)"; dbt --quiet ls --resource-type model')
    assert shell(copy, "make -s dsn").startswith("postgresql://bi_reader:")
    shell(copy, "make -s help | grep -q backup")
    shell(copy, f"{sys.executable} -m orchestration status")

    # A backup comes back in a warehouse that is new.
    numbers = 'psql "$(make -s dsn)" -Atc "select * from daily_metrics order by daily_metrics::text" | sha256sum'
    before = shell(copy, numbers)
    shell(copy, "make -s stop")
    EmbeddedServer(copy).remove()
    shell(copy, "make -s restore FILE=warehouse.dump")
    assert shell(copy, numbers) == before
    assert "nothing is overwritten" in shell(copy, "make -s restore FILE=warehouse.dump 2>&1 || true")
