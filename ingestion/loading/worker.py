"""Worker process of the validation pool: `python -m ingestion.loading.worker`, started by worker_pool.py.

It imports little besides the rules, validates one batch at a time from a pipe, and ends when that pipe is closed. So
it ends with its parent, however the parent ends.

Explaining rejected lines is slow and deferred to the end of the load, when Postgres builds indexes and a core is idle.
"""

import os
import pickle
import signal
import sys
import traceback
from contextlib import suppress
from typing import IO, Any, Final

from ingestion.landing.lines import LineBatch, NumberedLine
from ingestion.loading.batch_validation import (
    BatchResult,
    BatchValidator,
    ValidationSettings,
    explain_rejections,
    validate_batch,
)

MAX_DEFERRED_BYTES: Final = 8_388_608
# Overhead of a deferred line, and of its row, besides the text. Without it millions of short lines could be deferred.
_LINE_BYTES: Final = 256


def main() -> None:
    """Validate the batches that come in until the parent closes the pipe."""
    # A Ctrl-C reaches the parent too, which then closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Anything printed must not get between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with suppress(EOFError, BrokenPipeError):
        _serve(sys.stdin.buffer, answers)
    # Skip interpreter shutdown: flushing stdout would raise on a closed pipe.
    os._exit(0)


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    settings: Any = pickle.load(requests)  # noqa: S301 - of the process that started this one
    rejections = DeferredRejections(settings.validator())
    while True:
        request: Any = pickle.load(requests)  # noqa: S301
        if isinstance(request, ValidationSettings):
            rejections = DeferredRejections(request.validator())
            continue
        answer: list[BatchResult] | str
        try:
            answer = rejections.drain() if request is None else [rejections.validate(*request)]
        except Exception:  # noqa: BLE001 - the parent raises it
            answer = traceback.format_exc()
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


class DeferredRejections:
    """Validation of batches that keeps invalid lines for later explanation, up to MAX_DEFERRED_BYTES."""

    def __init__(self, validator: BatchValidator) -> None:
        self._validator = validator
        self._lines: dict[int, list[NumberedLine]] = {}
        self._bytes = 0

    def validate(self, load_id: int, batch: LineBatch) -> BatchResult:
        """Validate a batch. Of deferred lines the result only counts that they were read."""
        result, invalid = validate_batch(self._validator, load_id, batch)
        if self._bytes < MAX_DEFERRED_BYTES:
            self._lines.setdefault(load_id, []).extend(invalid)
            self._bytes += sum(
                len(line if isinstance(line, bytes) else line.head) + _LINE_BYTES for _, _, line in invalid
            )
        else:
            explain_rejections(self._validator, result, invalid)
        return result

    def drain(self) -> list[BatchResult]:
        """Explain the deferred lines. Return one result for each of their loads."""
        deferred, self._lines, self._bytes = self._lines, {}, 0
        results = []
        for load_id, lines in deferred.items():
            result = BatchResult(load_id)
            explain_rejections(self._validator, result, lines)
            results.append(result)
        return results


if __name__ == "__main__":
    main()
