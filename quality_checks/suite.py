"""Expectation suites as they are declared: `suites/NAME.json` and the query of its rows, `suites/NAME.sql`.

To add a suite, add the two files. The query reads without a window. The JSON names the check and its asset, the column
with the day of a row (null where every run replaces all rows), and the columns that identify a row. It lists the
expectations by their Great Expectations names. Reading a suite does not import Great Expectations.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from quality_checks.outcome import Severity
from quality_checks.registry import Check
from warehouse.window import Window

SUITES: Final = Path(__file__).parent / "suites"

# The beginning of the query for a window's rows, and of no statement that is built around it.
BARE_QUERY: Final = "select * from (\n"

# SQLAlchemy takes `:name` for a parameter, even inside a literal, and Great Expectations runs it as null: other rows
# would be checked. Postgres's own `::` is left alone.
_BIND_PARAMETER: Final = re.compile(r"(?<![:\w])(?::\w)")
_MODEL: Final = re.compile(r"\bbuild\.(\w+)")


class SuiteError(Exception):
    """A suite that does not exist, or whose files lack something."""


@dataclass(frozen=True, slots=True)
class Suite(Check):
    """A check by expectations: Great Expectations' configurations (type, kwargs) for the rows of a query.

    `file` is the name of the suite's files without suffix; `row_key` has the columns that identify a row in a sample.
    """

    file: str
    query: str
    date_column: str | None
    row_key: tuple[str, ...]
    expectations: tuple[Mapping[str, Any], ...]

    def rows_of(self, window: Window) -> str:
        """Return the query for the rows of the window, with its dates as literals so that the planner can prune.

        A row without a day is in every window, or it would never be checked. So are all rows of a snapshot, which every
        run replaces as a whole.
        """
        rows = f"{BARE_QUERY}{self.query}\n) as suite_rows\n"
        if self.date_column is None:
            return rows
        return (
            f"{rows}where ({self.date_column} >= date '{window.start:%Y-%m-%d}'"
            f" and {self.date_column} < date '{window.end:%Y-%m-%d}') or {self.date_column} is null"
        )


def suite_names(folder: Path = SUITES) -> list[str]:
    """Return the names of all suites' files, sorted."""
    return sorted(path.stem for path in folder.glob("*.json"))


def load_suite(name: str, folder: Path = SUITES) -> Suite:
    """Return the suite of that file name. Raises SuiteError when there is none or its files are no suite."""
    if name not in suite_names(folder):
        raise SuiteError(f"there is no suite {name!r}; known suites: {', '.join(suite_names(folder)) or 'none'}")
    path = folder / f"{name}.json"
    try:
        query = path.with_suffix(".sql").read_text(encoding="utf-8").rstrip()
        return _suite(name, query, json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise SuiteError(f"suite file {path.name} has no query beside it: add {name}.sql") from None
    except (KeyError, TypeError, ValueError) as error:
        raise SuiteError(f"suite file {path.name} is not a suite: {type(error).__name__}: {error}") from error


def _suite(file: str, query: str, declared: dict[str, Any]) -> Suite:
    converted = {
        "severity": Severity(declared["severity"]),
        "row_key": tuple(declared["row_key"]),
        "expectations": tuple(declared["expectations"]),
    }
    reads = frozenset(_MODEL.findall(query))
    suite = Suite(**declared | converted, threshold=None, reads=reads, file=file, query=query)
    if not suite.expectations:
        raise ValueError("a suite without expectations would pass whatever the rows are")
    if _BIND_PARAMETER.search(suite.query):
        raise ValueError("a colon before a name in the query would be read as a parameter; write it without")
    return suite
