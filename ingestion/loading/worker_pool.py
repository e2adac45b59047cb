"""Validation of batches in worker processes. This process reads files and talks to Postgres.

The workers (worker.py) are processes of our own: concurrent.futures.ProcessPoolExecutor was not measured against them.
They keep deferred lines between requests, which tasks of an executor would have to carry back and forth.
"""

import fcntl
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from types import TracebackType
from typing import IO, Final, TypeVar, cast

from ingestion.landing.lines import LineBatch
from ingestion.loading.batch_validation import (
    BatchResult,
    BatchValidator,
    ValidationSettings,
    explain_rejections,
    validate_batch,
)

# More would wait for the server, which stores a row in a third of the time that validation of a line takes.
MAX_WORKERS: Final = 4
# Starting the workers costs as much as validating some megabytes of lines.
MIN_BYTES_FOR_POOL: Final = 16_777_216
_END_SECONDS: Final = 10
# The most that Linux grants an unprivileged process.
_PIPE_BYTES: Final = 1_048_576
# A batch has some thousand rows at most. COPY of several batches at once blocks as long as this many are validated.
_PREFETCHED_BATCHES: Final = 16
_T = TypeVar("_T")


# The load's id and one batch of its file.
LoadBatch = tuple[int, LineBatch]


class WorkerFailed(Exception):
    """A worker ended or raised. No line is lost: the transaction of its landing day is rolled back."""


class WorkerKilled(WorkerFailed):
    """A worker was ended by a signal, mostly for want of memory: the load may succeed in a minute."""


class ValidationPool:
    """Validator of batches in this process or in workers, which start at first use and end with the context.

    `processes` of 1 means this process; None means one for each core, up to four.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or min(_cores(), MAX_WORKERS)
        self._workers: list[_Worker] = []
        self._validator: BatchValidator | None = None

    def __enter__(self) -> "ValidationPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(at_once=kind is not None)

    def configure(self, settings: ValidationSettings, expected_bytes: int) -> None:
        """Set the validation settings for the next load.

        Processes are started only when at least MIN_BYTES_FOR_POOL are expected.
        """
        if any(worker.is_busy for worker in self._workers):
            # A busy worker still holds a batch of a load that failed; its result must not be used.
            self.end(at_once=True)
        if self._workers or (self._processes > 1 and expected_bytes >= MIN_BYTES_FOR_POOL):
            self._validator = None
            self._workers = self._workers or [_Worker() for _ in range(self._processes)]
            for worker in self._workers:
                worker.send(settings)
        else:
            self._validator = settings.validator()

    def validate(self, batches: Iterable[LoadBatch]) -> Generator[BatchResult]:
        """Validate batches and yield their results as they complete, in any order.

        Up to 16 batches are in flight; close the generator to cancel them. Explanations of rejected lines may be
        deferred: call `drain_deferred` afterwards. Raises WorkerFailed, and whatever `batches` raises.
        """
        if self._validator is None:
            yield from _prefetch(self._validate_in_workers(batches))
        else:
            for load_id, batch in batches:
                result, invalid = validate_batch(self._validator, load_id, batch)
                explain_rejections(self._validator, result, invalid)
                yield result

    def drain_deferred(self) -> Iterator[BatchResult]:
        """Yield the results of deferred lines, which the workers explain once all batches are validated.

        Raises WorkerFailed.
        """
        while any(worker.is_busy for worker in self._workers):
            yield from self._next_ready().receive()

    def _validate_in_workers(self, batches: Iterable[LoadBatch]) -> Generator[BatchResult]:
        for batch in batches:
            worker = next((worker for worker in self._workers if not worker.is_busy), None)
            results: list[BatchResult] = []
            if worker is None:
                worker = self._next_ready()
                results = worker.receive()
            worker.send(batch)
            # Yield after sending, so that the worker is not idle meanwhile.
            yield from results
        for worker in self._workers:
            results = worker.receive() if worker.is_busy else []
            worker.send(None)
            yield from results

    def end(self, *, at_once: bool = False) -> None:
        """End the workers. With `at_once` they are killed, and what they work on is lost."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.end(at_once=at_once)

    def _next_ready(self) -> "_Worker":
        with DefaultSelector() as selector:
            for worker in self._workers:
                if worker.is_busy:
                    selector.register(worker.answers, EVENT_READ, worker)
            key, _ = selector.select()[0]
        return cast(_Worker, key.data)


class _Worker:
    """A worker process with at most one outstanding request, which rules out a deadlock on full pipes."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ingestion.loading.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self.answers = cast(IO[bytes], self._process.stdout)
        _enlarge_pipe(self._requests)
        _enlarge_pipe(self.answers)
        self.is_busy = False

    def send(self, message: ValidationSettings | LoadBatch | None) -> None:
        """Send settings, a batch, or None, which asks for the deferred lines."""
        try:
            pickle.dump(message, self._requests, pickle.HIGHEST_PROTOCOL)
            self._requests.flush()
        except OSError as error:
            raise self._failure() from error
        self.is_busy = not isinstance(message, ValidationSettings)

    def receive(self) -> list[BatchResult]:
        try:
            answer = pickle.load(self.answers)  # noqa: S301 - of a process of our own
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise self._failure() from error
        self.is_busy = False
        if isinstance(answer, list):
            return answer
        raise WorkerFailed(f"a validation worker failed; landing day not loaded\n{answer}")

    def end(self, *, at_once: bool) -> None:
        if at_once:
            self._process.kill()
        with suppress(OSError):
            self._requests.close()
        self.answers.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _failure(self) -> WorkerFailed:
        code = self._process.wait()
        kind, reason = (WorkerKilled, " (out of memory?)") if code < 0 else (WorkerFailed, "")
        return kind(
            f"a validation worker exited with {code}{reason}; landing day not loaded, rerun it. If this happens again,"
            " set WAREHOUSE_LOAD_PROCESSES to a smaller number"
        )


def _enlarge_pipe(pipe: IO[bytes]) -> None:
    """Enlarge the pipe (Linux) so that a batch fits, which saves context switches."""
    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _prefetch(items: Generator[_T]) -> Iterator[_T]:
    """Prefetch up to 16 items in a thread, so that reading files and feeding workers overlaps with COPY."""
    thread = ThreadPoolExecutor(1)
    try:
        futures = deque(thread.submit(next, items, None) for _ in range(_PREFETCHED_BATCHES))
        while (item := futures.popleft().result()) is not None:
            futures.append(thread.submit(next, items, None))
            yield item
    finally:
        thread.shutdown(cancel_futures=True)
        items.close()


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
