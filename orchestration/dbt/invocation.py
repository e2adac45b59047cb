"""Aftermath of a dbt invocation: its failure, its parse of the project, its process and its folder."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from orchestration.retries import TransientError

# dbt reports Postgres' messages and not its error classes.
_TRANSIENT_MESSAGES: Final = (
    "could not connect",
    "connection refused",
    "connection to server",
    "connection already closed",
    "server closed the connection",
    "terminating connection",
    "the database system is",
    "timeout expired",
    "too many clients",
    "remaining connection slots",
    "deadlock detected",
    "lock timeout",
    # SQLSTATE 53100 and 53200, by the system's words and by those of Postgres.
    "no space left on device",
    "disk quota exceeded",
    "disk full",
    "could not extend file",
    "out of memory",
    "out of shared memory",
    "could not resize shared memory segment",
    "cannot allocate memory",
)
_PARSE: Final = "partial_parse.msgpack"
# One an invocation, 3 MB each: enough to look back over two weeks of nights.
KEPT_FOLDERS: Final = 20
# dbt cancels its queries and rolls back within this time.
STOP_SECONDS: Final = 20


class DbtFailed(Exception):
    """dbt failed for a reason that stays: a test found bad rows, or a model is wrong."""


def failure(folder: Path, otherwise: str, exit_code: int | None = None) -> DbtFailed | TransientError:
    """Return why the invocation with this target folder failed, node by node; `otherwise` where dbt left no results.

    A negative `exit_code` is the signal that ended dbt, mostly sent by the system for lack of memory.
    """
    if exit_code is not None and exit_code < 0:
        return TransientError(f"dbt was ended by signal {-exit_code}, perhaps for lack of memory")
    return failure_of(_results(folder), otherwise)


def failed_tests(folder: Path) -> dict[str, int]:
    """Return the tests of an invocation that have found bad rows, each with its number of failures."""
    results = _results(folder)
    return {_name(result): int(result["failures"] or 0) for result in results if result["status"] == "fail"}


def _results(folder: Path) -> Sequence[Mapping[str, Any]]:
    try:
        results: Sequence[Mapping[str, Any]] = json.loads((folder / "run_results.json").read_bytes())["results"]
    except (OSError, ValueError, KeyError):
        return []
    return results


def failure_of(results: Sequence[Mapping[str, Any]], otherwise: str) -> DbtFailed | TransientError:
    """Return the failure of these node results. It is transient only when every failed node's is."""
    reasons = {
        f"{kind} {_name(result)}": " ".join(str(result["message"]).split())
        for result in results
        if (kind := {"fail": "test", "error": result["unique_id"].split(".")[0]}.get(result["status"]))
    }
    if not reasons:
        return TransientError(f"dbt: {otherwise}") if _is_transient(otherwise) else DbtFailed(f"dbt: {otherwise}")
    text = "; ".join(f"{node}: {reason}" for node, reason in reasons.items())
    return TransientError(f"dbt: {text}") if all(map(_is_transient, reasons.values())) else DbtFailed(f"dbt: {text}")


def _name(result: Mapping[str, Any]) -> str:
    return str(result["unique_id"]).split(".")[2]


def _is_transient(text: str) -> bool:
    return any(words in text.lower() for words in _TRANSIENT_MESSAGES)


def keep_parse(folder: Path, target: Path) -> None:
    """Keep an invocation's parse of the project for the next one, which is then spared its own (1.5 s of CPU).

    dbt itself sees whether a parse still fits the files and the connection.
    """
    if not (folder / _PARSE).exists():
        return
    handle, name = tempfile.mkstemp(prefix=_PARSE, dir=target)
    os.close(handle)
    shutil.copyfile(folder / _PARSE, name)
    Path(name).replace(target / _PARSE)


def remove_old_folders(target: Path, prefix: str, keep: int = KEPT_FOLDERS) -> None:
    """Remove the folders of all but the last invocations: dagster_dbt makes one each time, and leaves it."""
    folders = sorted(target.glob(f"{prefix}-*/"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[keep:]:
        shutil.rmtree(folder, ignore_errors=True)
