"""Check that every model of the loaded code is applied: shows in Dagster that a plan waits."""

import psycopg

from publishing import applied_models, dbt_manifest
from quality_checks.outcome import Finding, Severity, finding
from quality_checks.registry import check
from warehouse.window import ONE_DAY, Window


@check("build/published_days", severity=Severity.WARNING)
def changed_models_are_applied(connection: psycopg.Connection, window: Window) -> Finding:
    """No model waits for a plan. `warehouse plan` shows what has changed, `warehouse plan --apply` carries it out.

    Models that wait are not built, and their marts keep their last published day. The bad day is the last of the run.
    """
    waiting = applied_models.waiting_models(connection, dbt_manifest.project_version())
    days = [window.end - ONE_DAY] if waiting else []
    return finding({"models_waiting": len(waiting)}, [{"model": model} for model in waiting], days)
