"""The dashboards of this checkout in a browser, as `make bi` runs them. `.ci/bi` runs these tests in a copy with the
sample, so that no developer's logins are touched.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from orchestration.cli.dashboard_settings import PYTHON, folder_of
from tests.bi.pages import Visit
from tests.daemon.deployments import free_port
from warehouse.connection import CHECKOUT, Warehouse

CHROMIUM: Final = Path("/usr/bin/chromium")
SCREENSHOTS: Final = CHECKOUT / "build" / "bi" / "screenshots"
CREATOR: Final = "crt_000017"
BRAND: Final = "brd_000005"
# What a browser would otherwise ask its maker for.
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
_PATIENCE_SECONDS: Final = 300


class Dashboards:
    """A running dashboard server: its address, and the passwords of its logins."""

    def __init__(self, address: str, password: str) -> None:
        self.address = address
        self.passwords = {"admin": password}
        self.cookies: dict[str, list[Any]] = {}

    def command(self, *arguments: str) -> str:
        """Run `warehouse bi ...` and return what it prints."""
        command = [sys.executable, "-m", "orchestration", "bi", "--python", str(python()), *arguments]
        done = subprocess.run(command, cwd=CHECKOUT, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def logins(self) -> dict[str, str]:
        """Return what each login sees."""
        lines = self.command("list-logins").splitlines()
        return {name: sees for name, _, sees in (line.partition("\t") for line in lines)}


def python() -> Path:
    """The Python of Superset's environment; `.ci/bi` gives another than the copy's."""
    return Path(os.environ["BI_VENV"]) / "bin" / "python" if "BI_VENV" in os.environ else PYTHON


@pytest.fixture(scope="session")
def warehouse_of_checkout() -> Warehouse:
    return Warehouse.from_environment({})


@pytest.fixture(scope="session")
def marts(warehouse_of_checkout: Warehouse) -> Iterator[psycopg.Connection]:
    """A connection as bi_reader."""
    with psycopg.connect(warehouse_of_checkout.bi_dsn, autocommit=True) as connection:
        yield connection


@contextmanager
def serving(*, currency: str = "USD") -> Iterator[Dashboards]:
    """Run `make bi` until the end of the block."""
    command = [sys.executable, "-m", "orchestration", "bi", "--python", str(python()), "serve"]
    environment = os.environ | {"WAREHOUSE_BI_PORT": str(free_port()), "WAREHOUSE_BI_CURRENCY": currency}
    process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True)
    alarm = threading.Timer(_PATIENCE_SECONDS, process.kill)
    alarm.start()
    try:
        assert process.stdout is not None
        said = dict(line.split(maxsplit=1) for line in (process.stdout.readline() for _ in range(3)) if line.strip())
        assert {"dashboards", "user", "password"} <= said.keys(), said
        alarm.cancel()
        password = json.loads((folder_of() / "secrets.json").read_text())["admin_password"]
        assert password not in str(said), "the output of a service is kept"
        yield Dashboards(said["dashboards"].strip().removesuffix("/dashboard/list/"), password)
    finally:
        alarm.cancel()
        process.terminate()
        process.wait(timeout=60)


def documented_commands() -> list[list[str]]:
    """Return the arguments of every `warehouse bi ...` of the page about dashboards, each once, as they stand there."""
    page = (CHECKOUT / "docs" / "bi.md").read_text()
    found = re.findall(r"(?:^|`)warehouse bi ([^`\n#]+)", page, re.MULTILINE)
    return [text.split() for text in dict.fromkeys(text.strip() for text in found)]


@pytest.fixture(scope="session")
def dashboards() -> Iterator[Dashboards]:
    """With the logins of the documentation: an analyst, a creator and a brand."""
    with serving() as server:
        known = server.logins()
        for action, *words in documented_commands():
            name, *options = words or [""]
            if action == "add-login":
                if name in known:
                    server.command("remove-login", name)
                server.passwords[name] = server.command(action, name, *options)
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), f"{CHROMIUM} is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(dashboards: Dashboards, browser: Browser) -> Iterator[Visit]:
    """A browser in which nobody is signed in. At the end it has asked nobody else, and complained about nothing."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC", locale="en-US")
    page: Page = context.new_page()
    visit = Visit(page, dashboards.address, dashboards.passwords, dashboards.cookies)
    yield visit
    context.close()
    assert visit.requests_elsewhere == []
    assert visit.complaints == []
