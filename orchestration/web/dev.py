"""`python -m orchestration.web.dev`: `dg dev`, with its options, whose web server is the guarded one."""

import sys
from collections.abc import Sequence
from typing import Any, Final

from dagster._cli import dev
from dagster_dg_cli.cli import main

_THEIRS: Final = ["-m", "dagster_webserver"]
_OURS: Final = ["-m", "orchestration.web.server"]
# What `dg dev` calls to start each process; it has no option for a web server of one's own.
_STARTER: Final = "open_ipc_subprocess"
_start: Final = getattr(dev, _STARTER)


def start(command: Sequence[str], **options: Any) -> Any:
    """Start a process of `dg dev`; in the place of the web server, the guarded one."""
    program, *arguments = command
    if arguments[:2] == _THEIRS:
        arguments[:2] = _OURS
    return _start([program, *arguments], **options)


if __name__ == "__main__":
    setattr(dev, _STARTER, start)
    sys.argv[1:1] = ["dev"]
    main()  # type: ignore[no-untyped-call]
