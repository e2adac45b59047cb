"""Diagnosis: every examination in order, from the machine to the alerts. It changes nothing and starts nothing."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from orchestration.doctor.finding import Finding, Level, examined, fault, ok
from warehouse.connection import CHECKOUT, Warehouse, WarehouseUnavailable
from warehouse.embedded.binaries import EmbeddedServerError
from warehouse.embedded.server import EmbeddedServer
from warehouse.settings import MissingSetting, settings

if TYPE_CHECKING:
    import psycopg


# Alerts come from a sensor of Dagster that reads the server.
_NEEDED_BY_ALERTS: Final = ("server", "Dagster")


def examine() -> Iterator[Finding]:
    """Yield every finding. The environment is that of a command, with .env.local read."""
    from orchestration.doctor import machine

    is_embedded = not os.environ.get("WAREHOUSE_URL", "").strip()
    yield from examined("Python", machine.python)
    yield from examined("packages", machine.packages)
    yield from examined(
        "settings", lambda: machine.settings_file(os.environ, is_embedded=is_embedded, checkout=CHECKOUT)
    )
    yield from examined("processes", machine.processes)
    if is_embedded and not EmbeddedServer(CHECKOUT).status().is_running:
        yield fault("server", "the embedded Postgres server is not running", "run make ui, or warehouse start")
        return
    try:
        warehouse = Warehouse.from_environment()
        connection = warehouse.connect(autocommit=True)
    except (WarehouseUnavailable, EmbeddedServerError) as error:
        yield fault("server", str(error), "see the message")
        return
    # Dagster's processes get these; the settings are read from them.
    os.environ.update(warehouse.environment())
    settings.cache_clear()
    with connection:
        yield ok("server", f"database {warehouse.database} at {warehouse.host}, port {warehouse.port}, answers")
        try:
            settings()
        except MissingSetting as error:
            yield fault("settings", str(error), "see the message")
            return
        yield from _of_warehouse(warehouse, connection)


def _of_warehouse(warehouse: Warehouse, connection: "psycopg.Connection") -> Iterator[Finding]:
    from orchestration.alerts import sources
    from orchestration.defs.resources import landing_root_of_settings
    from orchestration.doctor import machine, postgres, state
    from orchestration.doctor.missing_erasures import erasures
    from warehouse.single_values import exist

    now = datetime.now(UTC)
    bounds = sources.bounds()
    yield from examined("Postgres", lambda: postgres.version(connection))
    yield from examined("clock", lambda: postgres.clock(connection))
    yield from examined("disk", lambda: machine.disks(sources.folders(warehouse), free_gigabytes=bounds.free_gigabytes))
    if not exist(connection, "ops.alerts", "ops.stale_days"):
        yield fault("warehouse", "tables of this version are missing in the database", "run warehouse start")
        return
    yield from examined("grants", lambda: postgres.rights(warehouse, connection))
    yield from examined("locks", lambda: postgres.locks(connection))
    yield from examined("Dagster", lambda: state.dagster(connection, now))
    yield from examined("erasures", lambda: erasures(connection, landing_root_of_settings()))
    yield from examined("stale days", lambda: state.stale_days(connection, now))

    # Disks have their own line.
    yield from examined("faults", lambda: state.open_faults(sources.faults_of_state(connection, now)))
    yield from examined("alerts", lambda: state.alerts(connection, *sources.channels()))


def outage_in(findings: Sequence[Finding]) -> Finding | None:
    """Return the finding that keeps the warehouse from sending alerts by itself; None where nothing does."""
    down = (one for one in findings if one.subject in _NEEDED_BY_ALERTS and one.level is not Level.OK)
    return next(down, None)


def is_sound(findings: list[Finding]) -> bool:
    """Return whether no finding is a fault."""
    return all(finding.level is not Level.FAULT for finding in findings)
