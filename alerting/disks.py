"""Disks of this machine that are almost full: those of the embedded server, landing files, exports, Dagster."""

import os
import shutil
from collections.abc import Iterable, Set
from datetime import datetime
from pathlib import Path
from typing import Final

from alerting.fault import Fault, Kind

_GIGABYTE: Final = 1024**3
# A fault is over only when clearly more is free than the bound, or a disk around it would send message after message.
_CLEARLY_MORE: Final = 1.2


def full_disks(
    folders: Iterable[Path], *, free_gigabytes: float, open_subjects: Set[str], now: datetime
) -> list[Fault]:
    """Return a fault for each disk that has less than `free_gigabytes` left. A disk is named by its first folder."""
    found: dict[int, Fault | None] = {}
    for folder in folders:
        try:
            device = os.stat(folder).st_dev  # noqa: PTH116
            usage = shutil.disk_usage(folder)
        except OSError:
            # A folder that cannot be read is reported by the runs that need it.
            continue
        if device in found:
            continue
        bound = free_gigabytes * (_CLEARLY_MORE if str(folder) in open_subjects else 1)
        is_full = usage.free < bound * _GIGABYTE
        detail = f"{usage.free / _GIGABYTE:.1f} of {usage.total / _GIGABYTE:.0f} GB free on the disk of {folder}"
        found[device] = Fault(Kind.DISK_FULL, str(folder), "", now, detail) if is_full else None
    return [fault for fault in found.values() if fault]
