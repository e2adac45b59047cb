"""Retries of failed steps: the policy, which errors are transient, and exceptions as dg.Failure."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg
import psycopg

from ingestion.application.source import ApplicationUnavailable
from ingestion.landing.storage import StorageUnreachable
from ingestion.loading.worker_pool import WorkerKilled
from warehouse.connection import PasswordRefused, WarehouseUnavailable

# A server that restarts is back within a minute; 10, 20 and 40 seconds wait for that.
RETRIES: Final = dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


class TransientError(Exception):
    """An outside failure that may be over in a minute."""


# OperationalError covers a server that is away, locks, deadlocks, memory and disk. InterfaceError is a lost connection.
_TRANSIENT: Final = (
    TransientError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    WarehouseUnavailable,
    ApplicationUnavailable,
    StorageUnreachable,
    WorkerKilled,
    ConnectionError,
    TimeoutError,
    MemoryError,
)
# The machine's own shortages: a full disk, a full quota, no memory for a process.
_SHORTAGES: Final = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM)


def is_transient(error: BaseException | None) -> bool:
    """Return True if the step may succeed in a minute by itself.

    A wrong password, file, rule, query or program stays wrong.
    """
    while error is not None:
        if isinstance(error, PasswordRefused):
            return False
        if isinstance(error, _TRANSIENT) or (isinstance(error, OSError) and error.errno in _SHORTAGES):
            return True
        error = error.__cause__
    return False


@contextmanager
def as_dagster_failure(*expected: type[Exception]) -> Iterator[None]:
    """Convert exceptions of the block to dg.Failure; only transient ones are retried.

    Messages of `expected` types stand alone. Messages of all other types follow the name of the type.
    """
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        is_expected = isinstance(error, (*expected, *_TRANSIENT))
        message = str(error) if is_expected else f"{type(error).__name__}: {error}"
        raise dg.Failure(message, allow_retries=is_transient(error)) from error
