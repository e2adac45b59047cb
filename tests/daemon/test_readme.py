"""Every command of the README and of the pages beside it, in a copy of the checkout, and interrupted demos."""

import re
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.daemon.checkouts import PATIENCE_SECONDS, blocks_of, run_block, shell, start_demo, wait_for_text
from warehouse.embedded.server import EmbeddedServer

pytestmark = pytest.mark.daemon

# test_docs.py has the other pages, which take minutes.
PAGES = ("README.md", "docs/operate.md", "docs/concepts/explain.md")


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

    # The pages' own words. `make demo` has run, with a smaller sample.
    executed = blocks_of(*PAGES)
    assert len(executed) >= 8
    for block in executed:
        run_block(copy, block)
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
