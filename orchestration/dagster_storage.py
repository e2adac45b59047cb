"""Dagster's storage on Postgres with connections that are kept.

The stock class connects anew for every statement. A run of 30 days records some 2,000 events by two or three
connections each, at 5 to 10 ms a connection: most of the time of such a run (measured 2026-11).
"""

from collections.abc import Mapping
from typing import Any, Final

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import create_engine

# Threads of the daemon and of the code server work side by side; they rarely need more at once.
MORE_CONNECTIONS: Final = 20


class PooledStorage(DagsterPostgresStorage):
    """As DagsterPostgresStorage; each process keeps a connection for runs, one for events and one for schedules."""

    def __init__(self, postgres_url: str, *arguments: Any, **options: Any) -> None:
        super().__init__(postgres_url, *arguments, **options)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = create_engine(
                postgres_url,
                isolation_level="AUTOCOMMIT",
                pool_size=1,
                max_overflow=MORE_CONNECTIONS,
                # The server may have been stopped and started since the last statement.
                pool_pre_ping=True,
            )

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledStorage":
        """For Dagster, which reads dagster.yaml."""
        return cls(
            pg_url_from_config(config_value),
            config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
        )
