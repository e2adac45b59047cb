"""Outages of Dagster's storage: wait for a server that restarts, then report the outage in one sentence.

Dagster's own way is a bare "Internal Server Error" in the page, and a hundred lines of stack for every statement of
every thread in the log.
"""

import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Final

import psycopg2  # type: ignore[import-untyped]
from sqlalchemy import Engine, event
from sqlalchemy.exc import InterfaceError, OperationalError

# A server that died is started again within seconds; a page that loads waits for it.
WAIT_SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = 0.5
_ADVICE: Final = (
    "make ui starts its embedded server again by itself, and says why where it cannot; a server of your own has to be"
    " started"
)
# Messages of the driver about a lost connection.
_LOST: Final = (
    "server closed the connection",
    "connection already closed",
    "terminating connection",
    "Connection refused",
    "the database system is",
)
_Messages = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class StorageUnavailable(Exception):
    """Dagster's tables cannot be reached; the message says why and what to do, and holds no password."""


def wait_when_connecting(engine: Engine, *, seconds: float = WAIT_SECONDS) -> None:
    """Have an engine wait for a server that is away, and raise StorageUnavailable when it stays away."""

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:  # noqa: ARG001
        deadline = time.monotonic() + seconds
        while True:
            try:
                return dialect.connect(*arguments, **options)
            except dialect.dbapi.OperationalError as error:
                # A wrong password stays wrong.
                is_away = "password" not in str(error) and "does not exist" not in str(error)
                if not is_away:
                    raise
                if time.monotonic() > deadline:
                    raise StorageUnavailable(_sentence(error)) from None
            time.sleep(_PAUSE_SECONDS)


def _sentence(error: BaseException) -> str:
    reason = str(getattr(error, "orig", error)).strip().splitlines() or [type(error).__name__]
    return f"the Postgres server with Dagster's tables does not answer: {reason[0].strip()}; {_ADVICE}"


def outage_of(error: BaseException | None) -> str | None:
    """Return the sentence for an error of a server that is away; None for any other error."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, StorageUnavailable):
            return str(error)
        if isinstance(error, OperationalError | InterfaceError) and error.connection_invalidated:
            return _sentence(error)
        # Outside of a statement, as when its isolation is set, SQLAlchemy hands on the driver's own error.
        if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError) and _is_of_outage(str(error)):
            return _sentence(error)
        error = error.__cause__ or error.__context__
    return None


def _is_of_outage(text: str) -> bool:
    return StorageUnavailable.__name__ in text or any(words in text for words in _LOST)


def shorten_logs() -> None:
    """Have every logger of this process write one line where a server is away, and not the stack that leads there."""
    make_record = logging.getLogRecordFactory()
    if getattr(make_record, "is_short", False):
        return

    def short_record(*arguments: Any, **options: Any) -> logging.LogRecord:
        record = make_record(*arguments, **options)
        error = record.exc_info[1] if record.exc_info else None
        text = str(record.msg)
        if sentence := outage_of(error):
            first, *_ = text.splitlines() or [""]
            record.msg, record.args, record.exc_info = f"{first}: {sentence}", (), None
        elif "\n" in text and _is_of_outage(text):
            # Dagster has made one text of message and stack.
            first, *rest = text.splitlines()
            record.msg, record.args = " ".join([first, *[line.strip() for line in rest if _is_of_outage(line)][:1]]), ()
        return record

    short_record.is_short = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(short_record)


class OutageSentence:
    """ASGI middleware of Dagster's web server: status 503 and a sentence where the server with its tables is away."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: _Messages) -> None:
        has_begun = False

        async def send_and_note(message: MutableMapping[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            sentence = outage_of(error)
            if sentence is None or has_begun or scope["type"] != "http":
                raise
            for message in _answer(sentence, is_graphql=scope["path"].endswith("/graphql")):
                await send(message)


def _answer(sentence: str, *, is_graphql: bool) -> Iterator[dict[str, Any]]:
    text = json.dumps({"data": None, "errors": [{"message": sentence}]}) if is_graphql else sentence
    kind = "application/json" if is_graphql else "text/plain; charset=utf-8"
    headers = [(b"content-type", kind.encode()), (b"retry-after", b"10")]
    yield {"type": "http.response.start", "status": 503, "headers": headers}
    yield {"type": "http.response.body", "body": text.encode()}
