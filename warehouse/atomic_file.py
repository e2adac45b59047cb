"""A file that is complete or not there."""

import contextlib
import os
from pathlib import Path


def write_whole(path: Path, content: bytes, *, is_durable: bool = True) -> None:
    """Put content under a name in one step, making the folders above it. Raises OSError, and leaves nothing behind.

    The content is written under a name that ends in .tmp, which no reader of landing files looks at, and renamed. A
    durable file survives a crash of the machine from the moment this returns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.tmp")
    try:
        # For its owner alone: what was sent is in it, also what is redacted later.
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    if is_durable:
        _sync(path.parent)


def _sync(folder: Path) -> None:
    # The name of a file is part of its folder.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
