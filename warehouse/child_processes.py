"""Child processes that end with their parent, however the parent ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

_PR_SET_PDEATHSIG: Final = 1
_POLL_SECONDS: Final = 0.5
# dbt cancels its queries and rolls back within this time.
_END_SECONDS: Final = 20


def start(
    command: Sequence[str], *, environment: Mapping[str, str], own_group: bool = False, **options: Any
) -> "subprocess.Popen[bytes]":
    """Start a program that is interrupted when this process ends, also by `kill -9`.

    On Linux the kernel interrupts it when the calling thread ends. Elsewhere only programs that use `end_with_parent`
    notice it. With `own_group` a Ctrl-C in the terminal does not reach the program.
    """
    return subprocess.Popen(
        list(command), env=dict(environment), start_new_session=own_group, preexec_fn=_die_with(os.getpid()), **options
    )


def _die_with(parent: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)

    def ask_kernel() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGINT)

    return ask_kernel


def end_with_parent() -> None:
    """Interrupt this process when its parent has ended, and end it when it does not react."""
    threading.Thread(target=_watch, args=[os.getppid()], name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_END_SECONDS)
    os._exit(1)


def interrupt(process: "subprocess.Popen[bytes]", *, seconds: float) -> None:
    """Interrupt a program, if it has not ended, and wait for its end. Kill it when the time is up."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_group(process: "subprocess.Popen[bytes]", *, seconds: float) -> None:
    """Wait until all processes of a program's own group have ended. Kill them when the time is up."""
    deadline = time.monotonic() + seconds
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
