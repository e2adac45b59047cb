"""A process that judges: `python -m ingestion.candidates.worker`, started by workers.py. It imports little besides the
rules, is handed one portion at a time by a pipe, and ends when that pipe does: with its parent, however that ends.
"""

import os
import pickle
import signal
import sys
import traceback
from contextlib import suppress
from typing import IO, Any

from ingestion.candidates.judging import Judged, Rules, judge


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
    validator = rules.validator()
    while True:
        request: Any = pickle.load(requests)  # noqa: S301
        if isinstance(request, Rules):
            validator = request.validator()
            continue
        answer: Judged | str
        try:
            answer = judge(validator, *request)
        except Exception:  # noqa: BLE001 - whatever it is, it is for the parent to raise
            answer = traceback.format_exc()
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    main()
