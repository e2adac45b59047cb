"""The command line in the process of a test, whose environment is afterwards what it was before."""

import os
from collections.abc import Mapping
from unittest.mock import patch

from orchestration.__main__ import main


def run_command(*arguments: str, environment: Mapping[str, str] | None = None) -> int:
    """Run `python -m orchestration ARGUMENTS` under these variables; return the exit code."""
    with patch.dict(os.environ, environment or {}):
        return main(arguments)
