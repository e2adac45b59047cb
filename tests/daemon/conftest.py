"""A copy of the checkout for commands of the README and the docs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.checkouts import environment_of, shell
from warehouse.connection import CHECKOUT
from warehouse.embedded.server import EmbeddedServer


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
