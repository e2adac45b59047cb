"""Failures as Dagster shows them, and retries of steps."""

import errno

import dagster as dg
import psycopg
import pytest

from ingestion.landing.files import LandingError
from ingestion.loading.worker_pool import WorkerFailed, WorkerKilled
from orchestration.retries import TransientError, as_dagster_failure
from warehouse.connection import PasswordRefused, WarehouseUnavailable


def failure_of(error: Exception, *expected: type[Exception]) -> dg.Failure:
    with pytest.raises(dg.Failure) as caught, as_dagster_failure(*expected):
        raise error
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        WarehouseUnavailable("the warehouse cannot be reached"),
        psycopg.errors.AdminShutdown("terminating connection"),
        psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),
        psycopg.InterfaceError("the connection is closed"),
        TransientError("dbt: server closed the connection"),
        psycopg.errors.DiskFull("could not extend file: No space left on device"),
        psycopg.errors.OutOfMemory("out of memory"),
        OSError(errno.ENOSPC, "No space left on device"),
        MemoryError("out of memory"),
        WorkerKilled("a validation worker exited with -9"),
    ],
)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    failure = failure_of(error)
    assert failure.allow_retries
    assert str(error) in str(failure.description)


@pytest.mark.parametrize(
    "error",
    [
        PasswordRefused("the warehouse refuses the password"),
        psycopg.errors.UndefinedTable("no such table"),
        KeyError("a mistake of ours"),
        WorkerFailed("a validation worker failed"),
        PermissionError(errno.EACCES, "Permission denied"),
    ],
)
def test_what_stays_wrong_is_not_tried_again(error: Exception) -> None:
    assert not failure_of(error).allow_retries


def test_what_lies_behind_an_error_decides() -> None:
    lost = RuntimeError("the suite could not be run")
    lost.__cause__ = psycopg.OperationalError("connection refused")
    assert failure_of(lost).allow_retries


def test_an_expected_error_is_told_in_its_own_words() -> None:
    failure = failure_of(LandingError("events/dt=2026-10-01/a.ndjson.gz is truncated"), LandingError)
    assert failure.description == "events/dt=2026-10-01/a.ndjson.gz is truncated"
    assert not failure.allow_retries


def test_an_unexpected_error_is_told_with_its_type() -> None:
    assert failure_of(ZeroDivisionError("division by zero")).description == "ZeroDivisionError: division by zero"


def test_a_failure_that_says_it_all_stays_as_it_is() -> None:
    said = dg.Failure("said", allow_retries=False)
    assert failure_of(said) is said
