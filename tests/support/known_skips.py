"""Why a test may be skipped in CI: it is for another kind of user, or another kind of machine. Everything else that a
test lacks, such as a driver, has to be installed (.ci/prepare).
"""

from typing import Final

import pytest

# How the reason begins.
KNOWN: Final = (
    "only root has to hand the server to another account",
    "only Linux ",
    "an ordinary user cannot enter this virtual environment",
)


def unknown(skipped: list[pytest.TestReport]) -> list[str]:
    """The tests that were skipped for another reason, each with it."""
    found = []
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not reason.startswith(KNOWN):
            found.append(f"{report.nodeid}: {reason}")
    return found
