"""Atomic file writes: a file is complete under its name, or it is not there."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO


class Draft:
    """A file that is being written under a temporary name."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.file = file
        self.is_wanted = True

    def discard(self) -> None:
        """Remove the draft instead of renaming it; a file of the complete name stays as it is."""
        self.is_wanted = False


@contextlib.contextmanager
def atomic_writer(
    path: Path,
    *,
    mode: int = 0o600,
    is_durable: bool = True,
    draft_path: Path | None = None,
    before_rename: Callable[[Path], None] | None = None,
) -> Iterator[Draft]:
    """Write a file under a temporary name, and rename it when the block ends. A block that fails leaves nothing behind.

    The folder has to exist. By default the owner alone may read the file, and it survives a crash of the machine once
    the block has ended. The draft is in the same folder; by default its name begins with a dot and ends in `.tmp`, so
    that no reader of landing files looks at it. `before_rename` is called with the complete draft. Raises OSError.
    """
    draft_path = draft_path or path.with_name(f".{path.name}.tmp")
    try:
        descriptor = os.open(draft_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            draft = Draft(draft_path, file)
            yield draft
            if is_durable and draft.is_wanted:
                file.flush()
                os.fsync(file.fileno())
        if draft.is_wanted:
            if before_rename is not None:
                before_rename(draft_path)
            draft_path.replace(path)
            if is_durable:
                _sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            draft_path.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes, *, is_durable: bool = True) -> None:
    """Write a whole file in one step, and make the folders above it. Raises OSError, and leaves nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path, is_durable=is_durable) as draft:
        draft.file.write(content)


def _sync_folder(folder: Path) -> None:
    # The name of a file is part of its folder.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
