"""Command `make demo`: write the sample marketplace, run the pipeline, print a summary."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestration.cli.dagster_process import Deployment, DeploymentError, make_home
from orchestration.cli.run_output import in_short
from orchestration.reports.place import default_path
from sample_data import demo_lock
from sample_data.sample_days import DemoNotPossible, SampleState, is_start_chosen, sample_days, save_start_date
from sample_data.writing import landing_folder, write_sample
from warehouse import child_processes, env_file, writer_lock
from warehouse.connection import CHECKOUT, Warehouse, WarehouseUnavailable
from warehouse.settings import MissingSetting, settings
from warehouse.window import ONE_DAY, Window

if TYPE_CHECKING:
    import psycopg

# Without any output for longer, a run appears to hang.
QUIET_SECONDS: Final = 5
# Time for dbt to cancel its queries and roll back.
END_SECONDS: Final = 30
# Dagster writes two events an asset and day; in batches that takes 11 s less for 30 days (2026-11, 2 busy cores).
FASTER: Final = {"DAGSTER_EVENT_BATCH_SIZE": "500"}
APPLIED: Final = {"WAREHOUSE_APPLY_CHANGES": "true"}


class RunFailed(Exception):
    """A failed run; the message names the log file."""


def main(end: date | None = None, *, is_extended: bool = False) -> int:
    """Write the sample, run unpublished and stale days, print the summary. Returns 1 after a failure."""
    from ingestion.application.source import ApplicationUnavailable
    from sample_data.summary import summary

    signal.signal(signal.SIGTERM, interrupted)
    try:
        warehouse = Warehouse.from_environment()
        home = make_home(warehouse.dagster_home)
        with demo_lock.taken(home / "demo.lock", say):
            window = fixed_window(end, is_extended=is_extended, home=home)
            given = settings()
            with warehouse.connect(autocommit=True) as connection:
                writer_lock.wait_until_free(connection, log=say)
                if to_do := windows_to_run(connection, window):
                    write_sample(given, window, say)
                    for part in to_do:
                        run(part, home / "demo.log")
                else:
                    say(f"all {len(window)} days are published and none is stale: there is nothing to do")
                    if window.end < today() and not is_extended:
                        say('the sample ends before yesterday; make demo ARGUMENTS="--extend" adds the days since')
                write_missing_report(warehouse)
                say(summary(connection, warehouse, window))
    except (
        DemoNotPossible,
        RunFailed,
        DeploymentError,
        MissingSetting,
        ApplicationUnavailable,
        WarehouseUnavailable,
    ) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def fixed_window(end: date | None, *, is_extended: bool, home: Path) -> Window:
    """Return the days of the sample, after making the first the warehouse's first day. Raises DemoNotPossible."""
    from sample_data.landing_files import sample_in

    given = settings()
    found = sample_in(landing_folder(given.landing_url))
    start = given.warehouse_start_date
    known = SampleState(
        start,
        is_start_chosen(start, CHECKOUT),
        Window(found[0], found[0] + found[1] * ONE_DAY) if found else None,
        today() - ONE_DAY,
    )
    window = sample_days(known, end=end, is_extended=is_extended)
    if window.start != start:
        if Deployment(home).is_running():
            raise DemoNotPossible(
                "the first make demo sets the warehouse's first day, and Dagster runs: run make stop first"
            )
        save_start_date(window.start, CHECKOUT / env_file.FILE)
        os.environ["WAREHOUSE_START_DATE"] = window.start.isoformat()
        settings.cache_clear()
        say(f"the sample fills {window.start} to {window.end - ONE_DAY}; .env.local has the first day")
    return window


def today() -> date:
    """Return the present day in UTC."""
    return datetime.now(UTC).date()


def windows_to_run(connection: "psycopg.Connection", window: Window) -> list[Window]:
    """Return the unpublished and stale days of the window, in as few windows as possible.

    Changed models need no plan here: they are applied first.
    """
    from publishing import applied_models, backfill_plan, dbt_manifest

    applied_models.apply_at_once(connection, dbt_manifest.project_version())
    return backfill_plan.chunks(connection, window, project=dbt_manifest.project_version(), at_most=len(window))


def run(window: Window, log_file: Path) -> None:
    """Run job daily_refresh for the window. Raises RunFailed when the run fails."""
    *_, last = window.days()
    command = [str(Path(sys.executable).with_name("dg")), "launch", "--job", "daily_refresh"]
    command += ["--partition-range", f"{window.start}...{last}"]
    say(f"Dagster starts, and runs the job daily_refresh for {window.start} to {last} as one range")
    started = last_said = time.monotonic()
    with (
        log_file.open("w", buffering=1) as log,
        # The run ends with this process. Only this process receives Ctrl-C and forwards it once: a second signal would
        # interrupt the run's own cleanup.
        child_processes.start(
            command,
            environment=os.environ | FASTER | APPLIED,
            own_group=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
        ended_with_us(process),
    ):
        for line in lines_of(process):
            if line is not None:
                log.write(line)
            short = in_short(line) if line is not None else "..."
            if short and (line is not None or time.monotonic() - last_said >= QUIET_SECONDS):
                last_said = time.monotonic()
                say(f"{last_said - started:5.0f} s  {short}")
    if process.returncode:
        raise RunFailed(f"the run has failed; {log_file} has its output. make demo runs the missing days again")


@contextmanager
def ended_with_us(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Interrupt the run when the block raises, and wait until its steps have ended."""
    try:
        yield
    except BaseException:
        say("interrupted: ending the run")
        child_processes.interrupt(process, seconds=END_SECONDS)
        raise


def lines_of(process: "subprocess.Popen[bytes]") -> Iterator[str | None]:
    """Yield the lines of a process as they arrive, and None after each second without one."""
    assert process.stdout is not None  # noqa: S101
    os.set_blocking(process.stdout.fileno(), False)
    unfinished = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(timeout=1):
                yield None
                continue
            if not (read := os.read(process.stdout.fileno(), 65_536)):
                break
            *lines, unfinished = (unfinished + read).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace") + "\n"
    if unfinished:
        yield unfinished.decode(errors="replace") + "\n"


def write_missing_report(warehouse: Warehouse) -> None:
    """Write the report where no publication has, such as of a version before it. What fails is only said."""
    if (path := default_path()).exists():
        return
    from orchestration.reports import writing

    try:
        writing.write(warehouse, path)
    except OSError as error:
        say(f"the report cannot be written to {path}: {error.strerror}")


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def interrupted(*_: object) -> None:
    """Raise KeyboardInterrupt, as Ctrl-C does, so that the run ends first."""
    raise KeyboardInterrupt
