"""Writer of the sample's landing files and ad spend, deterministic and atomic."""

import gzip
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

from sample_data import Marketplace
from sample_data.advertising import ad_spend_of
from sample_data.visitors import CAMPAIGNS
from warehouse.atomic_file import write_atomically

# A dot file is no landing file. It lists the written files, so that the next run can skip them.
MANIFEST: Final = ".marketplace.json"

# Level 1 writes 30 days in 2 s less than level 6, for files that are a third larger (October 2026).
_COMPRESSION: Final = 1


def write_landing_files(
    marketplace: Marketplace, landing: Path, progress: Callable[[str], None] = lambda _: None
) -> dict[str, dict[str, int]]:
    """Write the files, unless the manifest lists them all. Returns {day: {outcome: lines}}.

    Files of an earlier sample that are not part of this one are deleted. Other files are left alone.
    """
    manifest_path = landing / MANIFEST
    manifest = _manifest(manifest_path)
    if manifest.get("parameters") == marketplace.parameters and _are_there(landing, manifest["files"]):
        progress(f"{len(manifest['files'])} landing files are there already")
        return dict(manifest["days"])
    # An unfinished sample has no parameters, but the manifest still lists its files as the sample's.
    begun = {"parameters": None, "begun": marketplace.parameters}
    _write(manifest_path, json.dumps(manifest | begun).encode())
    written: dict[str, int] = {}
    days: dict[str, dict[str, int]] = {}
    for day in marketplace.landing_days():
        for number, lines in enumerate(day.files):
            name = f"events/dt={day.day}/part-{number:03d}.ndjson.gz"
            content = gzip.compress(b"\n".join(lines) + b"\n", _COMPRESSION, mtime=0)
            written[name] = _write(landing / name, content)
        name, spend = ad_spend_of(marketplace.seed, day.day, CAMPAIGNS)
        written[name] = _write(landing / name, spend)
        outcomes = {outcome.value: count for outcome, count in sorted(day.outcomes.items())}
        days[day.day.isoformat()] = outcomes
        counts = ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in outcomes.items())
        progress(f"{day.day}: {counts}")
    for name in manifest.get("files", {}).keys() - written.keys():
        (landing / name).unlink(missing_ok=True)
    manifest = {"parameters": marketplace.parameters, "days": days, "files": written}
    _write(manifest_path, json.dumps(manifest, indent=1).encode())
    return days


def sample_in(landing: Path) -> tuple[date, int] | None:
    """Return the first day and the number of days of the sample in a landing folder, also of an unfinished one."""
    manifest = _manifest(landing / MANIFEST)
    parameters = manifest.get("parameters") or manifest.get("begun")
    return (date.fromisoformat(parameters["start"]), int(parameters["days"])) if parameters else None


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _are_there(landing: Path, sizes: dict[str, int]) -> bool:
    return all((landing / name).is_file() and (landing / name).stat().st_size == size for name, size in sizes.items())


def _write(path: Path, content: bytes) -> int:
    """Write a file atomically, unless it already has this content. Returns the size."""
    if not (path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content):
        # The next run writes files again that a crash of the machine has lost.
        write_atomically(path, content, is_durable=False)
    return len(content)
