"""Copies of the checkout as a clone has it, their shell, a small demo in them, and the blocks of the docs."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.documentation import Block, blocks

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
# What a reader puts in place of the example: the sample has other days here than when the page was written. Each query
# finds the value in the warehouse, or in the product's database.
EXAMPLES = {
    "metric_date=2026-10-07 ip_asset_id=ast_000102 project_id= license_id=": (
        "select format('metric_date=%s ip_asset_id=%s project_id= license_id=', metric_date, ip_asset_id)"
        " from marts.daily_metrics where project_id is null and license_id is null and views > 0 order by 1 limit 1"
    ),
    "04bcf7ae-32c3-8681-9f01-d618bc62f0d6": "select min(conversion_id::text) from marts.attribution_credits",
    "crt_000017": "select min(creator_id) from marts.creator_dashboard",
    "asset ast_000102": "select 'asset ' || min(ip_asset_id) from marts.asset_metrics",
    "--actor 7f3c": "select '--actor ' || min(actor_id) from raw.events where actor_type = 'user'",
    "--device d-81": "select '--device ' || max(anonymous_id) from raw.events",
    "--from 2026-11-01": "select '--from ' || max(event_date) from ops.published_days",
    '"start": "2026-10-01", "end": "2026-10-08"': (
        """select format('"start": "%s", "end": "%s"', min(event_date), max(event_date) + 1) from ops.published_days"""
    ),
    "2026-10-01...2026-10-30": "select min(event_date) || '...' || max(event_date) from ops.published_days",
}


def blocks_of(*pages: str) -> list[Block]:
    """Return the blocks of these pages that are executed, in order."""
    return [block for page in pages for block in blocks() if block.page == page and block.exception is None]


def run_block(checkout: Path, block: Block) -> str:
    """Execute a block as it stands, but for examples that this sample does not hold. Return its output."""
    text = block.text
    for example, query in EXAMPLES.items():
        if example in text:
            value = shell(checkout, f'eval "$(make -s env)"; psql -Atc {shlex.quote(query)}').strip()
            assert value, f"the sample holds nothing in place of {example}"
            text = text.replace(example, value)
    if "make -s env" not in text:
        # The README's words: after it, commands find the warehouse.
        text = f'eval "$(make -s env)"\n{text}'
    if "declare-silent-day" in text:
        # The sample has no day without events: the example is one of a warehouse that begins before it.
        text = f"export WAREHOUSE_START_DATE=2026-10-01\n{text}"
    return shell(checkout, text)


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
