"""A process that judges: `python -m ingestion.loading.worker`, started by workers.py. It imports little besides the
rules, is handed one portion at a time by a pipe, and ends when that pipe does: with its parent, however that ends.

Lines that have to be examined wait for the end, when the server is busy with indexes and a core has nothing to do.
"""

import os
import pickle
import signal
import sys
import traceback
from contextlib import suppress
from typing import IO, Any, Final

from ingestion.landing.lines import Placed, Portion
from ingestion.loading.batch_validation import Judged, Rules, examine, judge
from ingestion.validation.validator import LineValidator

MAX_WAITING_BYTES: Final = 8_388_608
# Of a line that waits, and of the row that it becomes, besides the text: else millions of short ones could wait.
_LINE_BYTES: Final = 256


def main() -> None:
    """Judge what comes in until the parent closes the pipe."""
    # The parent is told of a Ctrl-C as well, and closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever else prints must not get between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with suppress(EOFError, BrokenPipeError):
        _answer(sys.stdin.buffer, answers)
    # Without a farewell to a pipe that nobody reads.
    os._exit(0)


def _answer(requests: IO[bytes], answers: IO[bytes]) -> None:
    rules: Any = pickle.load(requests)  # noqa: S301 - of the process that started this one
    docket = Docket(rules.validator())
    while True:
        request: Any = pickle.load(requests)  # noqa: S301
        if isinstance(request, Rules):
            docket = Docket(request.validator())
            continue
        answer: list[Judged] | str
        try:
            answer = docket.examined() if request is None else [docket.judge(*request)]
        except Exception:  # noqa: BLE001 - whatever it is, it is for the parent to raise
            answer = traceback.format_exc()
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


class Docket:
    """Judges by the rules of one landing day. Lines that have to be examined wait here, as long as they are few."""

    def __init__(self, validator: LineValidator) -> None:
        self._validator = validator
        self._lines: dict[int, list[Placed]] = {}
        self._bytes = 0

    def judge(self, load_id: int, portion: Portion) -> Judged:
        """Judge a portion; of lines that wait only counts that they were read."""
        judged, unclear = judge(self._validator, load_id, portion)
        if self._bytes < MAX_WAITING_BYTES:
            self._lines.setdefault(load_id, []).extend(unclear)
            self._bytes += sum(
                len(line if isinstance(line, bytes) else line.head) + _LINE_BYTES for _, _, line in unclear
            )
        else:
            examine(self._validator, judged, unclear)
        return judged

    def examined(self) -> list[Judged]:
        """What became of the lines that have waited, by their loads."""
        waiting, self._lines, self._bytes = self._lines, {}, 0
        every = []
        for load_id, lines in waiting.items():
            judged = Judged(load_id)
            examine(self._validator, judged, lines)
            every.append(judged)
        return every


if __name__ == "__main__":
    main()
