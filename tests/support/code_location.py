"""Dagster's code location as tests load it: with settings of a warehouse that does not exist until a test names one."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final
from unittest.mock import patch

import dagster as dg

from tests.support.keys import ERASURE_KEY, HASH_KEY
from tests.support.pipeline import START
from warehouse.connection import Warehouse
from warehouse.settings import settings

# Publications write the report there.
EXPORTS: Final = Path(tempfile.mkdtemp(prefix="warehouse-exports-"))
atexit.register(shutil.rmtree, EXPORTS, ignore_errors=True)
# Nothing listens on port 9: who connects while definitions load, fails.
SETTINGS = {
    "WAREHOUSE_URL": "postgresql://nobody:nothing@127.0.0.1:9/nowhere",
    "APP_DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:9/nowhere",
    "WAREHOUSE_START_DATE": START.isoformat(),
    "WAREHOUSE_HASH_KEY": HASH_KEY,
    "WAREHOUSE_ERASURE_KEY": ERASURE_KEY,
    "LANDING_URL": "nowhere",
    "WAREHOUSE_EXPORTS": str(EXPORTS),
    "WAREHOUSE_APPLY_CHANGES": "true",
}


@cache
def definitions() -> dg.Definitions:
    """The definitions of this process."""
    with patch.dict(os.environ, SETTINGS):
        from orchestration.definitions import definitions as load

        return load()


@contextmanager
def settings_read_again() -> Iterator[None]:
    """Let the process read its settings from the environment of the block; afterwards it has those of other tests."""
    definitions()
    settings.cache_clear()
    try:
        yield
    finally:
        settings.cache_clear()
        with patch.dict(os.environ, SETTINGS):
            settings()


def settings_of(warehouse: Warehouse, landing: Path) -> dict[str, str]:
    """The environment in which a run finds this warehouse and this landing folder."""
    return {
        **SETTINGS,
        "WAREHOUSE_URL": warehouse.url,
        "APP_DATABASE_URL": warehouse.application_url or SETTINGS["APP_DATABASE_URL"],
        "LANDING_URL": str(landing),
        "WAREHOUSE_BI_PASSWORD": warehouse.bi_password or "",
    }
