"""Creation of the functions of schema ops that explain numbers. Readers of marts have no right to call them."""

import psycopg

from publishing import dbt_manifest
from publishing.explain.attribution_cells import attribution_cells
from publishing.explain.calendar_cells import calendar_cells
from publishing.explain.cell_function import cell_functions
from publishing.explain.cells import Cells
from publishing.explain.conversion_function import conversion_functions
from publishing.explain.event_cells import event_cells
from publishing.explain.period_cells import period_cells
from publishing.explain.platform_cells import platform_cells
from publishing.explain.provenance_function import provenance_functions
from publishing.explain.session_cells import session_cells
from publishing.loaded_version import PROJECT_DIR


def explained_cells(*, funnel_lookback_days: int) -> list[Cells]:
    """Return the cells of all marts that are explained."""
    return [
        *event_cells(funnel_lookback_days=funnel_lookback_days),
        *attribution_cells(),
        *calendar_cells(),
        *period_cells(),
        *platform_cells(),
        *session_cells(),
    ]


def create(connection: psycopg.Connection) -> None:
    """Create or replace the functions. Table ops.loads must exist."""
    variables = dbt_manifest.variables_of(PROJECT_DIR)
    cells = explained_cells(funnel_lookback_days=int(variables["funnel_lookback_days"]))
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(provenance_functions())
        cursor.execute(conversion_functions(half_life_days=int(variables["attribution_half_life_days"])))
        cursor.execute(cell_functions(cells))
