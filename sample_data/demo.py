"""`make demo`: the sample marketplace, from landing files to published numbers, and a summary of what came of it."""

import argparse
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestration.cli.dagster_process import Deployment, DeploymentError, make_home
from orchestration.cli.run_output import in_short
from sample_data import demo_lock
from sample_data.sample_days import DemoNotPossible, Situation, is_start_chosen, save_start_date, sample_days
from warehouse import child_processes, env_file, writer_lock
from warehouse.connection import CHECKOUT, Warehouse, WarehouseUnavailable
from warehouse.settings import MissingSetting, Settings, settings
from warehouse.window import ONE_DAY, Window, parse_day

if TYPE_CHECKING:
    import psycopg

# A person who sees nothing for longer wonders if it still works.
QUIET_SECONDS: Final = 5
# dbt cancels its queries and rolls back within this time.
END_SECONDS: Final = 30
# Dagster writes two events an asset and day; in batches that takes 11 s less for 30 days (2026-11, 2 busy cores).
FASTER: Final = {"DAGSTER_EVENT_BATCH_SIZE": "500"}


class RunFailed(Exception):
    """The run has ended badly; the message says where to read on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sample, run what is not published, print the summary; 1 when something failed."""
    from ingestion.application.source import ApplicationUnavailable
    from sample_data.summary import summary

    parser = argparse.ArgumentParser(prog="make demo", description="The sample marketplace, loaded and published.")
    parser.add_argument("--extend", action="store_true", help="add the days since the sample's last day, to yesterday")
    parser.add_argument("--end", type=parse_day, metavar="DAY", help="the sample's last day; yesterday at first")
    options = parser.parse_args(arguments)
    try:
        warehouse = Warehouse.locate()
        home = make_home(warehouse.dagster_home)
        with demo_lock.taken(home / "demo.lock", say):
            window = fixed_window(options.end, is_extended=options.extend, home=home)
            given = settings()
            with warehouse.connect(autocommit=True) as connection:
                writer_lock.wait_until_free(connection, log=say)
                if to_do := days_to_run(connection, window):
                    write_sample(given, window)
                    for part in to_do:
                        run(part, home / "demo.log")
                else:
                    say(f"all {len(window)} days are published and none is stale: there is nothing to do")
                    if window.end < today() and not options.extend:
                        say('the sample ends before yesterday; make demo ARGUMENTS="--extend" adds the days since')
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
    """The days of the sample, the first of them set as the warehouse's first day. Raises DemoNotPossible."""
    from sample_data.landing_files import sample_in

    given = settings()
    found = sample_in(landing_folder(given.landing_url))
    start = given.warehouse_start_date
    known = Situation(
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
    """The UTC day."""
    return datetime.now(UTC).date()


def days_to_run(connection: "psycopg.Connection", window: Window) -> list[Window]:
    """The days of the window that are not published or are stale, as few windows as they fit in."""
    from publishing import dbt_manifest, stale_days

    published = {
        day
        for (day,) in connection.execute(
            "select event_date from ops.published_days where event_date >= %s and event_date < %s",
            [window.start, window.end],
        )
    }
    stale = stale_days.stale_days(connection, model_version=dbt_manifest.model_version(), before=window.end)
    missing = {day for day in window.days() if day not in published}
    return stale_days.windows(missing | {day.event_date for day in stale if day.event_date in window})


def write_sample(given: Settings, window: Window) -> None:
    """Landing files and application tables. Raises DemoNotPossible where there is something that is not the sample's."""
    from ingestion.application.source import connect_application
    from sample_data import Marketplace
    from sample_data.application_tables import write_application
    from sample_data.landing_files import write_landing_files

    landing = landing_folder(given.landing_url)
    refuse_foreign_files(landing)
    marketplace = Marketplace(start=window.start, days=len(window))
    say(f"writing the sample marketplace: landing files of {len(window)} days to {landing}")
    write_landing_files(marketplace, landing, say)
    with connect_application(given.app_database_url.get_secret_value()) as connection:
        refuse_foreign_tables(connection)
        write_application(connection, marketplace.application_tables())
    say("the application's tables are written")


def landing_folder(url: str) -> Path:
    """The folder that the sample is written to. Raises DemoNotPossible when LANDING_URL is an object store."""
    from ingestion.landing.files import LandingRoot
    from ingestion.landing.storage import LocalFolder

    storage = LandingRoot.at(url).storage
    if not isinstance(storage, LocalFolder):
        raise DemoNotPossible(f"the sample is written to a folder, and LANDING_URL is {url}; set it to a folder")
    return storage.root


def refuse_foreign_files(landing: Path) -> None:
    """Raises DemoNotPossible when the landing folder holds files that the sample did not write."""
    from sample_data.landing_files import MANIFEST

    if not (landing / MANIFEST).exists() and next((landing / "events").glob("dt=*/*"), None):
        raise DemoNotPossible(
            f"{landing} holds landing files that are not the sample's; set LANDING_URL to an empty folder"
        )


def refuse_foreign_tables(connection: "psycopg.Connection") -> None:
    """Raises DemoNotPossible when the application's database has users who are not the sample's: it would delete them."""
    from sample_data import MAIL_DOMAIN

    row = connection.execute("select to_regclass('users') is not null").fetchone()
    if row and row[0]:
        foreign = connection.execute(
            "select 1 from users where email is null or email not like %s limit 1", [f"%@{MAIL_DOMAIN}"]
        ).fetchone()
        if foreign:
            raise DemoNotPossible(
                "APP_DATABASE_URL names a database with users of its own, which the sample would replace"
            )


def run(window: Window, log_file: Path) -> None:
    """Materialize everything for the window in one run. Raises RunFailed when the run fails."""
    *_, last = window.days()
    command = [str(Path(sys.executable).with_name("dg")), "launch", "--job", "daily_refresh"]
    command += ["--partition-range", f"{window.start}...{last}"]
    say(f"Dagster starts, and runs the job daily_refresh for {window.start} to {last} as one range")
    started = last_said = time.monotonic()
    with (
        log_file.open("w", buffering=1) as log,
        # It ends with this process, however this one ends. A Ctrl-C reaches this process alone, which hands it on once:
        # a second one would break off the end of the run.
        child_processes.start(
            command,
            environment=os.environ | FASTER,
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
        raise RunFailed(f"the run has failed; {log_file} holds all that it said. make demo tries again what is missing")


@contextmanager
def ended_with_us(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Interrupt the run when the block is left early, and wait until its steps have come to an end."""
    try:
        yield
    except BaseException:
        say("interrupted: ending the run")
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        raise


def lines_of(process: "subprocess.Popen[bytes]") -> Iterator[str | None]:
    """The lines of a process as they come, and None for every second in which none has come."""
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


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def interrupted(*_: object) -> None:
    """End as Ctrl-C does, so that the run is ended first."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupted)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # 128 and the number of the signal, as shells have it.
        sys.exit(128 + signal.SIGINT)
