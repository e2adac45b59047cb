"""Changes of code in runs and sensors: applied by themselves where the setting says so, else named with what to do."""

from collections.abc import Sequence

import psycopg

from publishing import applied_models, dbt_manifest
from warehouse.settings import settings

_SHOWN = 5


def apply_where_set(connection: psycopg.Connection, *, is_rebuild: bool = False) -> None:
    """Apply the loaded models when WAREHOUSE_APPLY_CHANGES is set, or for a rebuild of all tables."""
    if is_rebuild or settings().warehouse_apply_changes:
        applied_models.apply_at_once(connection, dbt_manifest.project_version())


def sentence(waiting: Sequence[str]) -> str:
    """Return a sentence for models that wait: which, and what to do."""
    more = f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
    return (
        f"a plan waits for {', '.join(waiting[:_SHOWN])}{more}, which have changed or depend on a change;"
        " `warehouse plan` shows it, `warehouse plan --apply` carries it out"
    )
