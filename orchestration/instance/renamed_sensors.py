"""Renamed sensors: their stored state moves to the new name, and nothing is left under the old one."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from dagster import DagsterInvariantViolationError
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import InstigatorState
from dagster._core.storage.schedules import ScheduleStorage

RENAMED: Final = {"late_events_sensor": "stale_days_sensor"}


def take_over(storage: ScheduleStorage, code_location: str) -> None:
    """Move the states of renamed sensors of a code location, so that a stopped sensor stays stopped.

    Dagster keys a state by the names of location, repository and sensor. Several processes may do this at once.
    """
    for state in storage.all_instigator_state(instigator_type=InstigatorType.SENSOR):
        if state.instigator_name not in RENAMED or state.origin.location_name != code_location:
            continue
        origin = state.origin._replace(instigator_name=RENAMED[state.instigator_name])
        renamed = InstigatorState(origin, state.instigator_type, state.status, state.instigator_data)
        # Another process was first, or the new sensor has run already.
        with suppress(DagsterInvariantViolationError):
            storage.add_instigator_state(renamed)
        storage.purge_ticks(state.instigator_origin_id, state.selector_id, before=datetime.now(UTC).timestamp())
        with suppress(DagsterInvariantViolationError):
            storage.delete_instigator_state(state.instigator_origin_id, state.selector_id)
