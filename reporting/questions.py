"""Calls of metric functions: one statement in one transaction, bounded in time, with errors in words."""

import json
import math
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final, NoReturn

import psycopg
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from reporting.errors import InvalidDateRange, NotAllowed, NotFound, WarehouseUnavailable

_DRIVER: Final = "postgresql+psycopg"
# The least that psycopg waits for a connection.
_MIN_CONNECT_SECONDS: Final = 2
# The server ends a statement that takes too long; this much later the connection is cut, because the server does not.
_GRACE_SECONDS: Final = 1.0
_EXCEPTIONS: Final[Mapping[str, type[Exception]]] = {
    "WH001": InvalidDateRange,
    "WH002": NotFound,
    "22023": ValueError,
}
# Function, table or schema are missing.
_NOT_PREPARED: Final = {"42883", "42P01", "3F000"}


def engine_of(dsn: str, *, timeout: float) -> Engine:
    """Return an engine for the warehouse at a URL, without connecting. Raises WarehouseUnavailable for no URL."""
    try:
        url = make_url(dsn)
    except ArgumentError:
        raise WarehouseUnavailable(
            "the DSN of the warehouse is no URL like postgresql://login:password@host/name"
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise WarehouseUnavailable(f"the DSN of the warehouse begins with {url.drivername}, and not with postgresql")
    connect_seconds = max(_MIN_CONNECT_SECONDS, math.ceil(timeout))
    return create_engine(url.set(drivername=_DRIVER), connect_args={"connect_timeout": connect_seconds})


def ask(
    engine: Engine, call: str, parameters: Mapping[str, object], *, settings: Mapping[str, str], timeout: float
) -> Any:
    """Return the JSON of a function's answer, numbers with decimals as Decimal.

    `settings` hold for this question alone. Raises InvalidDateRange, NotFound, NotAllowed, WarehouseUnavailable, and
    ValueError for a parameter outside its limits.
    """
    if any(isinstance(value, str) and not _is_storable(value) for value in parameters.values()):
        raise NotFound("there is no such id: it has characters that no id has")
    statement_settings = {"statement_timeout": f"{math.ceil(1000 * timeout)}ms", **settings}
    # A pooled connection may be from before a restart of the server. A question changes nothing, and may be repeated.
    for is_last in (False, True):
        cut = threading.Event()
        try:
            with engine.connect() as connection, _cut_after(connection, timeout + _GRACE_SECONDS, cut):
                for name, value in statement_settings.items():
                    connection.execute(text("select set_config(:name, :value, true)"), {"name": name, "value": value})
                answer: str = connection.execute(text(f"select cast({call} as text)"), parameters).scalar_one()
            return json.loads(answer, parse_float=Decimal)
        except DBAPIError as error:
            if cut.is_set():
                raise WarehouseUnavailable(_late(engine, timeout)) from None
            if not error.connection_invalidated or is_last:
                _raise(error, engine, timeout)
        except SQLAlchemyError as error:
            raise WarehouseUnavailable(_unusable(engine, str(error))) from error
    raise AssertionError("the last try returns or raises")


def _is_storable(value: str) -> bool:
    """Return whether Postgres can hold the text: no NUL, no half of a surrogate pair."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


@contextmanager
def _cut_after(connection: Connection, seconds: float, cut: threading.Event) -> Iterator[None]:
    """Cut the connection when the block takes longer: a server that is stopped answers nothing, not even a cancel."""
    descriptor = connection.connection.dbapi_connection.fileno()  # type: ignore[union-attr]

    def cut_connection() -> None:
        cut.set()
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            copy.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut_connection)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _raise(error: DBAPIError, engine: Engine, timeout: float) -> NoReturn:
    original = error.orig
    state = str(getattr(original, "sqlstate", None))
    message = _message(original)
    if state in _EXCEPTIONS:
        raise _EXCEPTIONS[state](message) from None
    if isinstance(original, psycopg.errors.InsufficientPrivilege):
        raise NotAllowed(f"login {engine.url.username} has no right to ask this: {message}") from None
    if isinstance(original, psycopg.errors.QueryCanceled | psycopg.errors.ConnectionTimeout):
        raise WarehouseUnavailable(_late(engine, timeout)) from None
    if state in _NOT_PREPARED:
        message = f"{message}; `warehouse start` of this version prepares it"
    raise WarehouseUnavailable(_unusable(engine, message)) from error


def _message(error: BaseException | None) -> str:
    """Return what is the matter in one line."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return error.diag.message_primary
    lines = str(error).splitlines() or [type(error).__name__]
    # Of libpq's chain of messages the last one is the reason.
    return lines[0].rpartition("failed: ")[2].removeprefix("FATAL:").strip()


def _late(engine: Engine, timeout: float) -> str:
    return f"the warehouse at {_place(engine)} does not answer within {timeout:g} seconds"


def _unusable(engine: Engine, reason: str) -> str:
    return f"the warehouse at {_place(engine)} cannot be asked: {reason}"


def _place(engine: Engine) -> str:
    return f"{engine.url.host or 'the default host'}, port {engine.url.port or 5432}"
