"""`python -m orchestration.web.dev`: `dg dev`, with its options, whose web server is the guarded one."""

import sys
from collections.abc import Sequence
from typing import Any, Final

from dagster._cli import dev
from dagster_dg_cli.cli import main

_STOCK_SERVER: Final = ["-m", "dagster_webserver"]
_GUARDED_SERVER: Final = ["-m", "orchestration.web.server"]
# Function of `dg dev` that starts each process; there is no option for another web server.
_STARTER: Final = "open_ipc_subprocess"
_start: Final = getattr(dev, _STARTER)


def start(command: Sequence[str], **options: Any) -> Any:
    """Start a process of `dg dev`; the guarded web server replaces the stock one."""
    program, *arguments = command
    if arguments[:2] == _STOCK_SERVER:
        arguments[:2] = _GUARDED_SERVER
    return _start([program, *arguments], **options)


if __name__ == "__main__":
    setattr(dev, _STARTER, start)
    sys.argv[1:1] = ["dev"]
    main()  # type: ignore[no-untyped-call]
