"""Commands of the README and the docs: blocks to type, commands in sentences, and those that no test executes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from warehouse.connection import CHECKOUT

# In the order in which a newcomer reads them.
_PAGES: Final = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/start.md",
    "docs/operate.md",
    "docs/deploy.md",
    "docs/develop.md",
)

# Commands that no test executes as they stand, by a pattern: the reason, and what parses them instead.
EXCEPTIONS: Final = {
    r"make test(-long)?": ("recursion: this is one of the tests", "make --dry-run test test-long"),
    r"\.ci/(run|prepare|bi)": (
        "recursion: stages of CI, which run the tests",
        "for stage in .ci/*; do sh -n $stage; done",
    ),
    r"make install": ("a minute and the network; .ci/run begins with it", "make --dry-run install"),
    r"make lock": ("asks a package index for the newest versions", "make --dry-run lock"),
    r"make bench(-[a-z]+)?": ("over five minutes", "make --dry-run bench bench-day bench-range"),
    r"make ui": ("runs until Ctrl-C; test_dagster_deployment.py and test_kills.py start it", "warehouse ui --help"),
    r"make (bi|screenshots)": ("installs 650 MB; .ci/bi runs both", "make --dry-run bi screenshots"),
    r"warehouse bi": ("needs what make bi installs; .ci/bi runs it", "warehouse bi --help"),
    r"sudo": ("a second machine, with systemd; tests/conventions/test_deploy.py reads the units", ""),
    r"POSTGRES_PASSWORD": ("a second machine, with Docker; tests/conventions/test_deploy.py reads the files", ""),
}
# Targets of make that no block has.
TARGETS: Final = ("graph", "docs", "lint")


@dataclass(frozen=True)
class Block:
    """A block of shell commands of a page."""

    page: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Its lines, without comments and what `make -s env` prints."""
        lines = (re.sub(r"\s+# .*", "", line).strip() for line in self.text.splitlines())
        return [line for line in lines if line and not line.startswith("eval ")]

    @property
    def exception(self) -> str | None:
        """The exception that one of its commands is."""
        found = (exception_of(command) for command in self.commands)
        return next((name for name in found if name), None)


def exception_of(command: str) -> str | None:
    """Return the exception that a command is."""
    return next((name for name in EXCEPTIONS if re.match(rf"{name}(?![a-z-])", command)), None)


def pages() -> dict[str, str]:
    """Return the text of every page, in reading order."""
    rest = sorted(path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "docs").rglob("*.md"))
    names = dict.fromkeys((*_PAGES, *rest))
    return {name: (CHECKOUT / name).read_text() for name in names}


def blocks() -> list[Block]:
    """Return the blocks of shell commands of all pages, in order."""
    return [
        Block(page, re.sub(r"^  ", "", text, flags=re.MULTILINE) if indent else text)
        for page, content in pages().items()
        for indent, text in re.findall(r"^( *)```sh\n(.*?)^ *```", content, re.DOTALL | re.MULTILINE)
    ]


def named_commands() -> Iterator[tuple[str, str]]:
    """Yield page and text of each command that a sentence names, such as `make report`."""
    for page, content in pages().items():
        prose = re.sub(r"^ *```.*?^ *```", "", content, flags=re.DOTALL | re.MULTILINE)
        for text in re.findall(r"`([^`\n]+)`", prose):
            if re.match(r"(make|warehouse|python -m|\.venv/bin/\S+|\.ci/\S+) *[a-z]|\.ci/[a-z]+$", text):
                yield page, text.removeprefix(".venv/bin/")
