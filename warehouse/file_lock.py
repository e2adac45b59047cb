"""Locks on files. The kernel releases one when the last process that holds it or has inherited it has ended."""

import fcntl
from typing import IO


def try_lock(file: int | IO[str], kind: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file. Return False where another process has locked it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
