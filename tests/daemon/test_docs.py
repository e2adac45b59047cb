"""Every command of the docs beside those of test_readme.py, in reading order, in a copy of the checkout."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.daemon.checkouts import PATIENCE_SECONDS, blocks_of, environment_of, run_block, shell, start_demo
from tests.daemon.test_readme import PAGES
from tests.support.documentation import TARGETS, exception_of, named_commands, pages

pytestmark = [pytest.mark.daemon, pytest.mark.long]

# What a reader fills in. Backfills and reloads are of the sample's last day.
FILLED_IN = {
    "START": "$(psql -Atc 'select max(event_date) from ops.published_days')",
    "END": "$(psql -Atc 'select max(event_date) + 1 from ops.published_days')",
    "FILE": "build/of-a-sentence",
    "RUN": "of-nobody",
}
# 1: something is wrong or cannot be done, and a sentence says so. 3: the server is not running.
UNDERSTOOD = {0, 1, 3}
# Sentences name these without what they take, and the blocks of a page execute them with it.
NAMES_ALONE = {"warehouse explain", "warehouse reload", "warehouse entity-events"}


@pytest.mark.timeout(3600)
def test_every_command_of_the_docs(copy: Path, tmp_path: Path) -> None:
    demo = start_demo(copy, tmp_path / "demo.log")
    assert demo.wait(PATIENCE_SECONDS) == 0, (tmp_path / "demo.log").read_text()
    for page in pages():
        if page not in PAGES:
            for block in blocks_of(page):
                run_block(copy, block)
    for target in TARGETS:
        shell(copy, f"make {target}")

    (copy / "build").mkdir(exist_ok=True)
    named = dict.fromkeys(text for _, text in named_commands() if re.match("warehouse|python", text))
    assert len(named) >= 20
    assert named.keys() >= NAMES_ALONE
    executed = [text for text in named if exception_of(text) is None and text not in NAMES_ALONE]
    assert {text: said for text in executed if (said := misunderstood(copy, text))} == {}


def misunderstood(copy: Path, text: str) -> str:
    """Execute a command that a sentence names. Return its output where it was not understood."""
    for place, value in FILLED_IN.items():
        text = re.sub(rf"\b{place}\b", value, text)
    done = subprocess.run(
        ["bash", "-c", f'eval "$(make -s env)"; {text.replace("…", "")}'],  # noqa: S607
        cwd=copy,
        env=environment_of(copy),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_SECONDS,
    )
    said = done.stdout + done.stderr
    return "" if done.returncode in UNDERSTOOD and "Traceback" not in said else f"{done.returncode}: {said[-2000:]}"
