"""Open faults, with what Dagster's runs and the settings say of them; and the channels of the settings."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import dagster as dg
import psycopg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from alerting.channels import Channel, ChannelSettingsError, configured
from alerting.fault import Bounds, Fault, Kind
from alerting.open_faults import open_faults
from publishing import dbt_manifest
from warehouse.connection import CHECKOUT, Warehouse
from warehouse.embedded.server import EmbeddedServer
from warehouse.settings import settings
from warehouse.window import Window

_BACKFILL: Final = "backfill"


def faults(
    connection: psycopg.Connection, instance: dg.DagsterInstance, warehouse: Warehouse, now: datetime
) -> list[Fault]:
    """Return every fault that is open now."""
    return open_faults(
        connection,
        now=now,
        bounds=bounds(),
        project=None if settings().warehouse_apply_changes else dbt_manifest.project_version(),
        folders=folders(warehouse),
        days_at_work={day for window in _backfills(instance) for day in window.days()},
    )


def faults_of_state(connection: psycopg.Connection, now: datetime) -> list[Fault]:
    """Return the faults that are open now by the warehouse's own records: all but those of disks."""
    project = None if settings().warehouse_apply_changes else dbt_manifest.project_version()
    found = open_faults(connection, now=now, bounds=bounds(), project=project)
    return [fault for fault in found if fault.kind is not Kind.DISK_FULL]


def bounds() -> Bounds:
    """Return the bounds of the settings."""
    found = settings()
    return Bounds(
        deadline=found.warehouse_publish_deadline,
        rejected_share=found.warehouse_alert_rejected_percent / 100,
        late_share=found.warehouse_alert_late_percent / 100,
        free_gigabytes=found.warehouse_alert_free_gigabytes,
    )


def folders(warehouse: Warehouse) -> list[Path]:
    """Return the folders of this machine whose disks the warehouse fills."""
    found = [Path(warehouse.dagster_home), CHECKOUT / settings().warehouse_exports]
    if "://" not in settings().landing_url:
        found.append(Path(settings().landing_url))
    server = EmbeddedServer(CHECKOUT).status()
    if server.port == warehouse.port and server.is_running:
        found.insert(0, Path(server.data))
    return found


def channels() -> tuple[Sequence[Channel], str]:
    """Return the channels of the settings, and what is wrong with the settings."""
    found = settings()
    try:
        return (
            configured(
                webhook=found.warehouse_alert_webhook.get_secret_value(),
                smtp=found.warehouse_alert_smtp.get_secret_value(),
                sender=found.warehouse_alert_from,
                recipients=found.warehouse_alert_to,
            ),
            "",
        )
    except ChannelSettingsError as error:
        return [], f"no alert can be sent: {error}"


def _backfills(instance: dg.DagsterInstance) -> Iterator[Window]:
    """Yield the days of the backfills that are active."""
    for run in instance.get_runs(dg.RunsFilter(job_name=_BACKFILL, statuses=NOT_FINISHED_STATUSES)):
        config: Any = run.run_config
        try:
            given = config["ops"]["backfill_op"]["config"]
            yield Window.parse(given["start"], given["end"])
        except (KeyError, TypeError, ValueError):
            continue
