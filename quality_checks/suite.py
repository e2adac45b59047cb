"""The expectation suites as they are declared: one JSON file in `suites/` each, read without Great Expectations.

To add a suite, add a file: which rows it judges (a query without a window, and the column that holds their day, or null
for what is made as a whole by every run), what names a row, and the expectations under their Great Expectations names.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from quality_checks.outcome import Severity
from warehouse.window import Window

SUITES: Final = Path(__file__).parent / "suites"

# How the query for a window's rows begins, and nothing that is built around it.
BARE_QUERY: Final = "select * from (\n"

# SQLAlchemy reads `:name` as a parameter, even inside a literal, and Great Expectations runs it as null: the
# suite would judge other rows than it says. Postgres's own `::` is left alone.
_BIND_PARAMETER: Final = re.compile(r"(?<![:\w])(?::\w)")


class SuiteError(Exception):
    """A suite that does not exist, or whose file does not say what it must."""


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite: `check` is the name of its outcome, `about` one sentence for a person, `row_key` the columns
    that name a row in a sample, `expectations` Great Expectations' own configurations (type, kwargs)."""

    name: str
    check: str
    about: str
    severity: Severity
    query: str
    date_column: str | None
    row_key: tuple[str, ...]
    expectations: tuple[Mapping[str, Any], ...]

    def rows_of(self, window: Window) -> str:
        """The query for the rows of the window, with its dates as literals so that the planner can prune.

        A row without a day belongs to no window; it is judged in every window, or nothing would ever judge it. So are
        all rows of a snapshot, where no column is their day: a run for whatever window replaces it as a whole.
        """
        rows = f"{BARE_QUERY}{self.query}\n) as suite_rows\n"
        if self.date_column is None:
            return rows
        return (
            f"{rows}where ({self.date_column} >= date '{window.start:%Y-%m-%d}'"
            f" and {self.date_column} < date '{window.end:%Y-%m-%d}') or {self.date_column} is null"
        )


def suite_names(folder: Path = SUITES) -> list[str]:
    """The names of all suites, sorted."""
    return sorted(path.stem for path in folder.glob("*.json"))


def load_suite(name: str, folder: Path = SUITES) -> Suite:
    """The suite of that name. Raises SuiteError when there is none or its file is not a suite."""
    if name not in suite_names(folder):
        raise SuiteError(f"there is no suite {name!r}; known suites: {', '.join(suite_names(folder)) or 'none'}")
    path = folder / f"{name}.json"
    try:
        return _suite(name, json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise SuiteError(f"suite file {path.name} is not a suite: {type(error).__name__}: {error}") from error


def _suite(name: str, declared: dict[str, Any]) -> Suite:
    suite = Suite(
        name=name,
        check=declared.pop("check"),
        about=declared.pop("about"),
        severity=Severity(declared.pop("severity")),
        query="\n".join(declared.pop("query")),
        date_column=declared.pop("date_column"),
        row_key=tuple(declared.pop("row_key")),
        expectations=tuple(declared.pop("expectations")),
    )
    if declared:
        raise ValueError(f"unknown entries {sorted(declared)}")
    if not suite.expectations:
        raise ValueError("a suite without expectations would pass whatever the rows are")
    if _BIND_PARAMETER.search(suite.query):
        raise ValueError("a colon before a name in the query would be read as a parameter; write it without")
    return suite
