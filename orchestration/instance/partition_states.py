"""Failed partitions as the web page shows them: days that readers see whole and current are none.

Dagster counts a partition as failed as soon as a run that was to make it has failed, also when the run ended before it
touched anything. A published day that is neither stale nor refused by a check is then as good as before.
"""

from collections.abc import Mapping
from typing import Final

from dagster import AssetKey, DagsterRunStatus
from dagster._core.storage.runs.schema import RunsTable
from dagster_postgres import PostgresEventLogStorage
from sqlalchemy import select, text

# Loading is an attempt of its own: that a file could not be read says nothing about the marts, and stays failed.
_LOADED: Final = "raw"
_GOOD_DAYS: Final = text(
    """
    select event_date::text from ops.published_days
    except select event_date::text from ops.stale_days
    except select unnest(failing_days)::text from ops.check_states where severity = 'error'
    """
)


class EventsOfDays(PostgresEventLogStorage):
    """PostgresEventLogStorage that knows which days are published and current."""

    def get_latest_asset_partition_materialization_attempts_without_materializations(
        self, asset_key: AssetKey, after_storage_id: int | None = None
    ) -> Mapping[str, tuple[str, int]]:
        """Return, by partition, the latest attempt that made nothing, but for failed attempts at good days."""
        attempts = super().get_latest_asset_partition_materialization_attempts_without_materializations(
            asset_key, after_storage_id
        )
        if not attempts or asset_key.path[0] == _LOADED:
            return attempts
        failed, good = self._failed_runs({run_id for run_id, _ in attempts.values()}), set[str]()
        if failed:
            with self.index_connection() as connection:
                # A warehouse that was just made has no view yet.
                if connection.execute(text("select to_regclass('ops.stale_days')")).scalar():
                    good = set(connection.execute(_GOOD_DAYS).scalars())
        return {day: found for day, found in attempts.items() if found[0] not in failed or day not in good}

    def _failed_runs(self, run_ids: set[str]) -> set[str]:
        wanted = select(RunsTable.c.run_id).where(
            RunsTable.c.run_id.in_(run_ids), RunsTable.c.status == DagsterRunStatus.FAILURE.value
        )
        with self.index_connection() as connection:
            return set(connection.execute(wanted).scalars())
