"""Judging by several processes. This one reads files and talks to the server; workers (worker.py) judge and pack."""

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

from ingestion.landing.lines import Portion
from ingestion.loading.batch_validation import Judged, Rules, examine, judge
from ingestion.validation.validator import LineValidator

# More would wait for the server, which stores a row in a third of the time that it takes to judge a line.
MAX_WORKERS: Final = 4
# To start workers costs as much as to judge some megabytes of lines.
WORTH_STARTING_BYTES: Final = 16_777_216
_END_SECONDS: Final = 10
# The most that Linux grants to everybody.
_PIPE_BYTES: Final = 1_048_576
# Portions, each of some thousand rows at most: what the server is given at once takes it as long as several.
_AHEAD: Final = 16
_T = TypeVar("_T")


# A portion of a load.
Assigned = tuple[int, Portion]


class WorkerFailed(Exception):
    """A worker ended, or could not go on. Nothing that it was handed is lost: its load is taken back as a whole."""


class WorkerKilled(WorkerFailed):
    """A worker was ended by a signal, mostly by the system for want of memory: the load may succeed in a minute."""


class Judges:
    """Judges portions, in this process or by workers, which are started at the first use and end with the context.

    `processes` of 1 means this process; None means one for each core, up to four.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or min(_cores(), MAX_WORKERS)
        self._workers: list[_Worker] = []
        self._validator: LineValidator | None = None

    def __enter__(self) -> "Judges":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(at_once=kind is not None)

    def follow(self, rules: Rules, expected_bytes: int) -> None:
        """Judge by these rules from now on. About `expected_bytes` are on the way: for a few no process is started."""
        if any(worker.is_busy for worker in self._workers):
            # Nobody took what they are at, so nobody may: it is of a load that has failed.
            self.end(at_once=True)
        if self._workers or (self._processes > 1 and expected_bytes >= WORTH_STARTING_BYTES):
            self._validator = None
            self._workers = self._workers or [_Worker() for _ in range(self._processes)]
            for worker in self._workers:
                worker.send(rules)
        else:
            self._validator = rules.validator()

    def judge(self, portions: Iterable[Assigned]) -> Generator[Judged]:
        """Have portions judged, each of the load of this id. What comes of them is given as it gets ready, in any
        order, and may be some portions behind: who does not want the rest closes this. Of lines that are rejected it
        may come by `examined` alone, which is to be read afterwards. Raises WorkerFailed, and whatever `portions`
        raise."""
        if self._validator is None:
            yield from _made_ahead(self._by_workers(portions))
        else:
            for load_id, portion in portions:
                judged, unclear = judge(self._validator, load_id, portion)
                examine(self._validator, judged, unclear)
                yield judged

    def examined(self) -> Iterator[Judged]:
        """What became of the lines that had to wait until everything else was judged, which workers are at from then
        on. Raises WorkerFailed."""
        while any(worker.is_busy for worker in self._workers):
            yield from self._ready().receive()

    def _by_workers(self, portions: Iterable[Assigned]) -> Generator[Judged]:
        for assigned in portions:
            worker = next((worker for worker in self._workers if not worker.is_busy), None)
            judged: list[Judged] = []
            if worker is None:
                worker = self._ready()
                judged = worker.receive()
            worker.send(assigned)
            # Only now, so that the worker is not idle meanwhile.
            yield from judged
        for worker in self._workers:
            judged = worker.receive() if worker.is_busy else []
            worker.send(None)
            yield from judged

    def end(self, *, at_once: bool = False) -> None:
        """End the workers; at once, when nobody waits for what they are at."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.end(at_once=at_once)

    def _ready(self) -> "_Worker":
        with DefaultSelector() as selector:
            for worker in self._workers:
                if worker.is_busy:
                    selector.register(worker.answers, EVENT_READ, worker)
            key, _ = selector.select()[0]
        return cast(_Worker, key.data)


class _Worker:
    """One process, which has at most one request. So it always reads when something is sent, and neither side can wait
    for the other to make room in a pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ingestion.loading.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self.answers = cast(IO[bytes], self._process.stdout)
        _widen(self._requests)
        _widen(self.answers)
        self.is_busy = False

    def send(self, message: Rules | Assigned | None) -> None:
        """Hand over rules, a portion, or None, which asks for the lines that wait."""
        try:
            pickle.dump(message, self._requests, pickle.HIGHEST_PROTOCOL)
            self._requests.flush()
        except OSError as error:
            raise self._lost() from error
        self.is_busy = not isinstance(message, Rules)

    def receive(self) -> list[Judged]:
        try:
            answer = pickle.load(self.answers)  # noqa: S301 - of a process of our own
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise self._lost() from error
        self.is_busy = False
        if isinstance(answer, list):
            return answer
        raise WorkerFailed(f"a process that judges lines could not go on; its landing day is not loaded\n{answer}")

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

    def _lost(self) -> WorkerFailed:
        code = self._process.wait()
        kind, reason = (WorkerKilled, ", perhaps for want of memory") if code < 0 else (WorkerFailed, "")
        return kind(
            f"a process that judges lines ended ({code}){reason}; its landing day is not loaded: rerun it, and where"
            " this comes again, set WAREHOUSE_LOAD_PROCESSES to a smaller number"
        )


def _widen(pipe: IO[bytes]) -> None:
    """Let a whole portion into a pipe at once, where the system can: its two ends take turns less often."""
    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _made_ahead(made: Generator[_T]) -> Iterator[_T]:
    """The same, some way ahead of whoever takes it, in a thread: files are read and workers fed while the server is
    given rows. The thread ends with this generator."""
    thread = ThreadPoolExecutor(1)
    try:
        coming = deque(thread.submit(next, made, None) for _ in range(_AHEAD))
        while (item := coming.popleft().result()) is not None:
            coming.append(thread.submit(next, made, None))
            yield item
    finally:
        thread.shutdown(cancel_futures=True)
        made.close()


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
