"""dagster_dbt without dbt: what this package uses of it, imported so that dbt itself stays unloaded.

dagster_dbt works with dbt installed or not. Where it finds dbt it imports 1.3 s of it (CPU, of 3.3 for all definitions,
measured 2026-11) for names that nothing here uses: dbt runs in processes of its own. Import dagster_dbt from here only.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

# What dagster_dbt looks for to see whether dbt is there.
_SIGN_OF_DBT: Final = "dbt.version"


@contextmanager
def _dbt_out_of_sight() -> Iterator[None]:
    loaded: dict[str, Any] = dict(sys.modules)
    sys.modules[_SIGN_OF_DBT] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_SIGN_OF_DBT]
        if _SIGN_OF_DBT in loaded:
            sys.modules[_SIGN_OF_DBT] = loaded[_SIGN_OF_DBT]


with _dbt_out_of_sight():
    from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource
    from dagster_dbt.asset_utils import DBT_DEFAULT_SELECT, build_dbt_specs
    from dagster_dbt.errors import DagsterDbtCliRuntimeError

__all__ = [
    "DBT_DEFAULT_SELECT",
    "DagsterDbtCliRuntimeError",
    "DagsterDbtTranslator",
    "DagsterDbtTranslatorSettings",
    "DbtCliResource",
    "build_dbt_specs",
]
