"""Run logs without lines that nobody needs: of steps that wait for a failed step, and of dagster_dbt about itself."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg
from dagster._core.log_manager import LOG_RECORD_METADATA_ATTR

# Dagster (dagster._core.execution.plan.active) logs it as an error of the step that is not run.
_NOT_RUN: Final = "Dependencies for step "
# dagster_dbt says so at each invocation. Its line of the command, and the results of models and tests, say more.
_NOISE: Final = ("A dbt subsetted execution is not being performed", "Copying `", "Finished dbt command: ")


class _Followers(logging.Filter):
    """Filter that drops noise, and drops and counts records of steps that are not run because another step failed."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for noise, and for a record of a step that is not run."""
        said = getattr(record, LOG_RECORD_METADATA_ATTR, None) or {}
        message = str(said.get("orig_message") or "")
        if record.levelno == logging.INFO and message.startswith(_NOISE):
            return False
        if not message.startswith(_NOT_RUN):
            return True
        self._steps.add(str(said.get("step_key")))
        return False

    @property
    def count(self) -> int:
        """Return the number of steps that were not run."""
        return len(self._steps)


@contextmanager
def failures_logged_once(log: dg.DagsterLogManager) -> Iterator[None]:
    """Log each failure once while the block runs, and at the end the number of steps that waited for it."""
    # All loggers of a run, those of its steps too, hand on to the same handlers: Dagster's storage and the console.
    handler = log._dagster_handler
    outlets: list[logging.Filterer] = [*handler._handlers, *handler._loggers]
    followers = _Followers()
    for outlet in outlets:
        outlet.addFilter(followers)
    try:
        yield
    finally:
        for outlet in outlets:
            outlet.removeFilter(followers)
        if followers.count:
            log.warning(f"{followers.count} steps were not run, because they need what a failed step makes")
