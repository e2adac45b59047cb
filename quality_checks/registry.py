"""Registry of checks: each one is declared once, where its rule stands, with its asset, severity and threshold.

Decorate a function to add a check; add a file to `suites/` to add a suite of expectations. Gates, Dagster's asset
checks and the list that the command line shows all come from `checks`.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import psycopg

import quality_checks
from quality_checks.outcome import CheckOutcome, Finding, Severity
from warehouse.window import Window

Rule = Callable[[psycopg.Connection, Window], Finding]
# Days outside a window that are published, and whose result may change with the window.
DaysToCheck = Callable[[psycopg.Connection, Window], set[date]]


class Gate(StrEnum):
    """The moment at which a check runs.

    Before dbt builds from raw, before what it built is published, or after that, as BI reads it.
    """

    RAW = "raw"
    BUILD = "build"
    READ = "read"


_BY_SCHEMA: Final = {"raw": Gate.RAW, "bi": Gate.READ}


@dataclass(frozen=True, slots=True)
class Check:
    """A check: the name of its results, the asset that it is about, and the severity of a failure."""

    name: str
    # As schema/table.
    asset: str
    severity: Severity
    description: str
    threshold: float | None
    # The models whose rows it compares: it cannot run while one of them waits for a plan.
    reads: frozenset[str]

    @property
    def gate(self) -> Gate:
        """The gate at which the check runs: that of its asset."""
        return _BY_SCHEMA.get(self.asset.partition("/")[0], Gate.BUILD)

    @property
    def is_blocking(self) -> bool:
        """True when a failure keeps the window from passing the gate."""
        return self.severity is Severity.ERROR


@dataclass(frozen=True, slots=True)
class RuleCheck(Check):
    """A check by a function. Call it to get the outcome for a window."""

    rule: Rule
    also_checks: DaysToCheck | None = None

    def __call__(self, connection: psycopg.Connection, window: Window) -> CheckOutcome:
        found = self.rule(connection, window)
        values = (found.observed, found.days, found.sample, found.covers_all_days, found.value)
        return CheckOutcome(*values, name=self.name, severity=self.severity)


_RULES: Final[dict[str, RuleCheck]] = {}


def check(
    asset: str,
    *,
    reads: Iterable[str] = (),
    severity: Severity = Severity.ERROR,
    threshold: float | None = None,
    also_checks: DaysToCheck | None = None,
) -> Callable[[Rule], RuleCheck]:
    """Register a function as a check of an asset. Its name is the function's, its description the docstring's opening.

    The asset is `schema/table`: checks of schema raw run before dbt, all others after it. Those of `bi/name`
    run as bi_reader, after publication. `reads` are the models that the check reads beside that of the asset. Lists
    show the threshold, the bound that the check compares with. `also_checks` finds published days outside a window
    whose results may change with it: the check runs for them too. Raises ValueError when another function has
    registered the name.
    """

    def register(rule: Rule) -> RuleCheck:
        name = getattr(rule, "__name__", "")
        if name in _RULES:
            raise ValueError(f"two checks have the name {name}")
        description = inspect.cleandoc(rule.__doc__ or "").partition("\n\n")[0]
        models = frozenset({asset.rpartition("/")[2], *reads})
        _RULES[name] = RuleCheck(name, asset, severity, description, threshold, models, rule, also_checks)
        return _RULES[name]

    return register


def checks() -> tuple[Check, ...]:
    """Return every check: the functions of this package and of modules imported so far, then the suites.

    The check of reruns is in publishing/rerun_check.py; publishing/gates.py imports it.
    """
    from quality_checks.suite import load_suite, suite_names

    for module in pkgutil.iter_modules(quality_checks.__path__, "quality_checks."):
        importlib.import_module(module.name)
    return (*_RULES.values(), *map(load_suite, suite_names()))
