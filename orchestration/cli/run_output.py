"""Short output of a run for the terminal: one line when a step ends, a check fails, or an error occurs.

Lines of `dg launch` are parsed. Reading Dagster's event log instead would import Dagster into the waiting process:
1.2 s of CPU (2 busy cores, 2026-11).
"""

import re
from typing import Final

# 2026-11-01 02:00:07 +0000 - dagster - INFO - daily_refresh - <run id> - <text>
_DAGSTER: Final = re.compile(
    r"^\S+ \S+ [+-]\d{4} - dagster - (?P<level>[A-Z]+) - (?P<origin>\S+) - [0-9a-f-]{36} - (?P<text>.*)$"
)
# Of an event of Dagster itself: <process> - <step> - STEP_SUCCESS - <text>; of what an asset logs: <step> - <text>
_EVENT: Final = re.compile(r"^\d+ - (?:(?P<step>\w+) - )?(?P<event>[A-Z_]+) - (?P<text>.*)$")
_LOGGED: Final = re.compile(r"^(?P<step>\w+) - (?P<text>.*)$")
# 12 of 48 OK created sql view model staging.stg_tracking__events ........ [CREATE VIEW in 0.11s]
_DBT: Final = re.compile(
    r"^(?P<place>\d+ of \d+) (?P<status>OK|ERROR|FAIL|WARN)\b(?P<text>.*?)\s*\.*\s*\[(?P<end>.*)\]$"
)
# dagster._core.definitions.events.Failure: <sentence>
_REASON: Final = re.compile(r"^(?:[\w.]+\.)?(?:Failure|MissingSetting): (?P<sentence>.+)$")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")

# The second is about tests of models that a run does not build.
_NOISE: Final = (
    "A dbt subsetted execution",
    "op 'dbt_models' did not yield",
    "Copying `",
    "Running dbt command",
    "Finished dbt command",
)
_RESOURCE: Final = "resource:"
_DAGSTER_EVENTS: Final = {"STEP_SUCCESS", "STEP_FAILURE", "STEP_UP_FOR_RETRY", "RUN_SUCCESS", "RUN_FAILURE"}


def in_short(line: str) -> str | None:
    """Return the short form of a line of `dg launch`; None for a line that is not shown."""
    line = _COLOUR.sub("", line).rstrip()
    if found := _DBT.match(line):
        return f"dbt_models: {found['place']} {found['status']}{found['text']}, {found['end']}"
    if not (found := _DAGSTER.match(line)):
        reason = _REASON.match(line)
        return reason and reason["sentence"]
    level, text = found["level"], found["text"]
    if found["origin"].startswith(_RESOURCE):
        # Such as the right to write, which says for which run it waits.
        return None if level == "DEBUG" else text
    if event := _EVENT.match(text):
        return _event(level, event)
    if level == "DEBUG" or not (logged := _LOGGED.match(text)) or logged["text"].startswith(_NOISE):
        return None
    return f"{logged['step']}: {logged['text']}"


def _event(level: str, event: re.Match[str]) -> str | None:
    step, text = event["step"] or "run", event["text"]
    if event["event"] == "STEP_SUCCESS":
        return f"{step}: done in {text.rsplit(' in ', 1)[-1].rstrip('.')}"
    if event["event"] == "ASSET_CHECK_EVALUATION":
        return f"{step}: {text}" if "did not pass" in text else None
    return f"{step}: {text}" if event["event"] in _DAGSTER_EVENTS or level == "ERROR" else None
