"""Pictures of the real pages for README and docs, in docs/images: `make screenshots`, after `make demo`."""

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from tests.bi.conftest import CHROMIUM, FLAGS, python, serving
from tests.bi.pages import Visit
from tests.daemon.deployments import free_port
from warehouse.connection import CHECKOUT

IMAGES: Final = CHECKOUT / "docs" / "images"
DASHBOARDS: Final = ("platform", "creator", "attribution", "data_quality")
# Page of Dagster, the text that shows that it is there, and the file's name.
DAGSTER_PAGES: Final = (
    ("/asset-groups", re.compile("marts"), "dagster-assets"),
    ("/assets/marts/platform_metrics", re.compile("platform_metrics"), "dagster-mart"),
    ("/runs", re.compile("daily_refresh"), "dagster-runs"),
)
_START_SECONDS: Final = 240
# 64 colours are enough for pages, and make a quarter of the bytes. Pillow is in Superset's environment.
_FEWER_COLOURS: Final = """
import sys
from PIL import Image
for path in sys.argv[1:]:
    Image.open(path).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)
"""


@contextmanager
def dagster() -> Iterator[str]:
    """Run `make ui` until the end of the block."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    program = (
        "import os, sys; from pathlib import Path; from orchestration.cli.dagster_process import Deployment, make_home;"
        "from orchestration.cli.environment import provisioned_warehouse, read_settings;"
        "from orchestration.cli.supervision import supervise; read_settings(); found = provisioned_warehouse();"
        f"supervise(Deployment(make_home(found.dagster_home)), found, None, print, options=['--port', '{port}'])"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(f"{address}/server_info"):
            assert process.poll() is None, "Dagster has ended"
            assert time.monotonic() < deadline, "Dagster does not answer"
            time.sleep(1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=120)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310
            return True
    except (urllib.error.URLError, OSError):
        return False


def take_dashboards(browser: Browser) -> Iterator[Path]:
    """Take pictures of dashboards as the administrator sees them."""
    with serving() as server:
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        visit = Visit(page, server.address, server.passwords)
        visit.sign_in("admin")
        for name in DASHBOARDS:
            visit.open(name)
            page.wait_for_timeout(2_000)  # charts grow into their place
            path = IMAGES / f"dashboard-{name.replace('_', '-')}.png"
            visit.keep_picture(path)
            yield path


def take_dagster(browser: Browser) -> Iterator[Path]:
    """Take pictures of Dagster's pages."""
    with dagster() as address:
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        for place, text, name in DAGSTER_PAGES:
            page.goto(f"{address}{place}")
            page.get_by_text(text).first.wait_for(timeout=60_000)
            page.wait_for_timeout(5_000)  # the graph finds its place
            path = IMAGES / f"{name}.png"
            page.screenshot(path=path)
            yield path


def main() -> None:
    """Take all pictures, or those whose names begin with an argument: dashboard, dagster."""
    wanted = tuple(sys.argv[1:]) or ("dashboard", "dagster")
    IMAGES.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        if "dashboard" in wanted:
            taken += take_dashboards(browser)
        if "dagster" in wanted:
            taken += take_dagster(browser)
        browser.close()
    subprocess.run([str(python()), "-c", _FEWER_COLOURS, *map(str, taken)], check=True)
    for path in taken:
        sys.stdout.write(f"{path.relative_to(CHECKOUT)}  {path.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
