"""A sensor that has another name now keeps its status and cursor, and leaves nothing behind under the old name."""

from collections.abc import Iterator

import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage

from orchestration.instance.pooled_storage import PooledStorage
from orchestration.instance.renamed_sensors import RENAMED
from tests.support.code_location import definitions
from warehouse.connection import Warehouse

OLD, NEW = "late_events_sensor", "stale_days_sensor"


def opened(warehouse: Warehouse) -> SqlScheduleStorage:
    """Open Dagster's storage as each of its processes does at its start."""
    storage = PooledStorage.from_config_value(None, {"postgres_url": warehouse.dagster_storage_url})
    for part in (storage.run_storage, storage.event_log_storage):
        part._engine.dispose()  # type: ignore[attr-defined]
    return storage.schedule_storage  # type: ignore[return-value]


@pytest.fixture
def storage(warehouse: Warehouse) -> Iterator[SqlScheduleStorage]:
    schedules = opened(warehouse)
    yield schedules
    for state in schedules.all_instigator_state():
        schedules.delete_instigator_state(state.instigator_origin_id, state.selector_id)
    schedules._engine.dispose()  # type: ignore[attr-defined]


def state_of(name: str, status: InstigatorStatus, cursor: str, location: str = "warehouse") -> InstigatorState:
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), "__repository__")
    origin = RemoteInstigatorOrigin(repository, name)
    return InstigatorState(origin, InstigatorType.SENSOR, status, SensorInstigatorData(cursor=cursor))


def stored(warehouse: Warehouse) -> set[tuple[str, str, str, str | None]]:
    """Read the states after a start: location, sensor, status, cursor."""
    schedules = opened(warehouse)
    states = schedules.all_instigator_state()
    schedules._engine.dispose()  # type: ignore[attr-defined]
    return {
        (state.origin.location_name, state.instigator_name, state.status.value, state.instigator_data.cursor)  # type: ignore[union-attr]
        for state in states
    }


def test_a_stopped_sensor_stays_stopped_under_its_new_name(storage: SqlScheduleStorage, warehouse: Warehouse) -> None:
    old = state_of(OLD, InstigatorStatus.STOPPED, "2026-10-07")
    storage.add_instigator_state(old)
    storage.create_tick(
        TickData(
            old.instigator_origin_id, OLD, InstigatorType.SENSOR, TickStatus.SKIPPED, 1e9, selector_id=old.selector_id
        )
    )
    expected = {("warehouse", NEW, "STOPPED", "2026-10-07")}
    assert stored(warehouse) == expected
    assert stored(warehouse) == expected, "a second start changes nothing"
    assert storage.get_ticks(old.instigator_origin_id, old.selector_id) == []


def test_a_state_of_the_new_name_is_kept(storage: SqlScheduleStorage, warehouse: Warehouse) -> None:
    storage.add_instigator_state(state_of(OLD, InstigatorStatus.STOPPED, "old"))
    storage.add_instigator_state(state_of(NEW, InstigatorStatus.RUNNING, "new"))
    assert stored(warehouse) == {("warehouse", NEW, "RUNNING", "new")}


def test_a_sensor_of_another_code_location_is_left_alone(storage: SqlScheduleStorage, warehouse: Warehouse) -> None:
    storage.add_instigator_state(state_of(OLD, InstigatorStatus.RUNNING, "theirs", location="elsewhere"))
    assert stored(warehouse) == {("elsewhere", OLD, "RUNNING", "theirs")}


def test_every_new_name_is_that_of_a_sensor() -> None:
    sensors = {sensor.name for sensor in definitions().get_repository_def().sensor_defs}
    assert set(RENAMED.values()) <= sensors
    assert not set(RENAMED) & sensors
