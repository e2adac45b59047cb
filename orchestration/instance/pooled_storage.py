"""Dagster's storage on Postgres with pooled connections.

The stock class connects again for every statement. A run of 30 days records some 2,000 events by two or three
connections each, at 5 to 10 ms a connection: most of the time of such a run (measured 2026-11).

Runs of the command line are stored as runs of the code location, because the web page's timeline leaves out all others.
"""

from collections.abc import Mapping
from typing import Any, Final

from dagster import DagsterRun
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresRunStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import create_engine

from orchestration.instance import renamed_sensors, storage_outage
from orchestration.instance.partition_states import EventsOfDays

# Threads of the daemon and of the code server work side by side; they rarely need more at once.
MORE_CONNECTIONS: Final = 20
# As in workspace.yaml and pyproject.toml.
CODE_LOCATION: Final = "warehouse"


class RunsOfTheLocation(PostgresRunStorage):
    """PostgresRunStorage that files runs of the command line under the code location too."""

    def add_run(self, dagster_run: DagsterRun) -> DagsterRun:
        """Store a new run. The process that started it goes on with the run as it was."""
        if dagster_run.remote_job_origin is None:
            location = RegisteredCodeLocationOrigin(CODE_LOCATION)
            repository = RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME)
            origin = RemoteJobOrigin(repository, dagster_run.job_name)
            super().add_run(dagster_run._replace(remote_job_origin=origin))
        else:
            super().add_run(dagster_run)
        return dagster_run


class PooledStorage(DagsterPostgresStorage):
    """DagsterPostgresStorage with a kept connection for runs, one for events and one for schedules a process."""

    def __init__(self, postgres_url: str, *arguments: Any, **options: Any) -> None:
        super().__init__(postgres_url, *arguments, **options)
        self._run_storage = RunsOfTheLocation(postgres_url, self.should_autocreate_tables)
        self._event_log_storage = EventsOfDays(postgres_url, self.should_autocreate_tables)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = create_engine(
                postgres_url,
                isolation_level="AUTOCOMMIT",
                pool_size=1,
                max_overflow=MORE_CONNECTIONS,
                # The server may have been stopped and started since the last statement.
                pool_pre_ping=True,
            )
            storage_outage.wait_when_connecting(storage._engine)
        storage_outage.shorten_logs()
        renamed_sensors.take_over(self._schedule_storage, CODE_LOCATION)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledStorage":
        """Return the storage of a dagster.yaml."""
        return cls(
            pg_url_from_config(config_value),
            config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
        )
