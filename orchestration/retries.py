"""How a step fails: with one clear sentence, and tried again only when trying again can help."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg
import psycopg

from ingestion.application.sync import ApplicationUnavailable
from ingestion.landing.storage import StorageUnreachable
from ingestion.loading.worker_pool import WorkerKilled
from warehouse.connection import PasswordRefused, WarehouseUnavailable

# A server that restarts is back within a minute; 10, 20 and 40 seconds wait for that.
RETRIES: Final = dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


class MayPass(Exception):
    """Something outside went wrong that may be right in a minute."""


# psycopg's two are: a server that is away, a lock or deadlock, no memory or disk; and a connection that was lost.
_MAY_PASS: Final = (
    MayPass,
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


def may_pass(error: BaseException | None) -> bool:
    """Whether the same step may succeed in a minute without anybody doing anything.

    A wrong password, file, rule, query or program stays wrong.
    """
    while error is not None:
        if isinstance(error, PasswordRefused):
            return False
        if isinstance(error, _MAY_PASS) or (isinstance(error, OSError) and error.errno in _SHORTAGES):
            return True
        error = error.__cause__
    return False


@contextmanager
def told(*expected: type[Exception]) -> Iterator[None]:
    """Turn what goes wrong in the block into Dagster's Failure, which its retry policy repeats only where `may_pass`.

    `expected` are exceptions whose own words say all there is to say; of others the type is named too.
    """
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        is_plain = isinstance(error, (*expected, *_MAY_PASS))
        message = str(error) if is_plain else f"{type(error).__name__}: {error}"
        raise dg.Failure(message, allow_retries=may_pass(error)) from error
