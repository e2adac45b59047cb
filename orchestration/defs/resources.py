"""Resources of assets: the warehouse, the right to write it, sources of raw data, exports, dbt."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import dagster as dg
import psycopg
from pydantic import PrivateAttr

from ingestion.application.events import FILE_NAME
from ingestion.encryption.props import PropEncryption
from ingestion.landing.files import INCOMPLETE, LandingRoot
from ingestion.landing.limits import MAX_EXPANSION, ZSTD_WINDOW_MB, Limits
from ingestion.loading.landing_day import LoadOptions, LoadReport
from ingestion.validation_lists import EventRules, default_rules
from orchestration.dbt.cli_resource import warehouse_dbt
from orchestration.instance.run_executor import locked_run_executor
from orchestration.instance.run_locks import notice_lost_clients
from orchestration.instance.run_log import failures_logged_once
from orchestration.marts import partial_runs
from warehouse.connection import CHECKOUT, Warehouse, WarehouseUnavailable
from warehouse.settings import EventSource, settings
from warehouse.writer_lock import writing


class WarehouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The warehouse, as its owner."""

    url: str

    @property
    def warehouse(self) -> Warehouse:
        """Return the warehouse with its address in the forms that other tools need."""
        return Warehouse.from_url(self.url)

    @property
    def warehouse_of_checkout(self) -> Warehouse:
        """Return the warehouse, known as the embedded server's where it is the one of this checkout."""
        return Warehouse.from_environment(os.environ | {"WAREHOUSE_URL": self.url})

    @contextmanager
    def connect(self) -> Generator[psycopg.Connection]:
        """Connect; statements outside of `connection.transaction()` commit one by one."""
        with self.warehouse.connect(autocommit=True) as connection:
            yield connection

    @contextmanager
    def connect_as_bi_reader(self) -> Generator[psycopg.Connection]:
        """Connect as BI does. Raises WarehouseUnavailable, also where this process does not know the password."""
        warehouse = Warehouse.from_url(self.url, os.environ)
        if not warehouse.bi_password:
            raise WarehouseUnavailable("the password of bi_reader is not known here: set WAREHOUSE_BI_PASSWORD")
        with warehouse.connect_to(warehouse.bi_dsn, autocommit=True) as connection:
            yield connection

    @contextmanager
    def write(self, context: dg.OpExecutionContext) -> Generator[psycopg.Connection]:
        """Hold the warehouse for a part of a run, and connect with the right to write it meanwhile."""
        with self.connect() as lock, self.connect() as connection:
            notice_lost_clients(lock)
            with writing(lock, context.run_id, log=context.log.info):
                connection.execute("select set_config('warehouse.build_id', %s, false)", [context.run_id])
                yield connection


class WriterResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The right to write the warehouse, held from the first step that needs it to the end of the run.

    A run of some models or marts alone holds it for each step, because it starts a run that needs it.
    """

    warehouse: WarehouseResource
    _build_id: str = PrivateAttr(default="")
    _log: dg.DagsterLogManager | None = PrivateAttr(default=None)

    @contextmanager
    def connect(self) -> Generator[psycopg.Connection]:
        """Connect with the right to write while this run holds the warehouse; writes fail when a later run holds it."""
        with self.warehouse.connect() as connection, self._held_for_step():
            connection.execute("select set_config('warehouse.build_id', %s, false)", [self._build_id])
            yield connection

    @contextmanager
    def _held_for_step(self) -> Generator[None]:
        if self._log is None:
            yield  # the run holds the warehouse
            return
        with self.warehouse.connect() as lock:
            notice_lost_clients(lock)
            with writing(lock, self._build_id, log=self._log.info):
                yield

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["WriterResource"]:
        log = context.log
        if context.run is None or log is None:
            raise dg.DagsterInvariantViolationError("only a run can hold the warehouse")
        self._build_id = context.run.run_id
        recorded = context.instance.get_run_by_id(context.run.run_id) if context.instance else None
        if recorded is not None and recorded.is_finished:
            # Dagster sets resources up once more to hand over a finished run's results; the next run may have begun.
            yield self
            return
        if partial_runs.is_partial(context.run):
            self._log = log
            yield self
            return
        with self.warehouse.connect() as connection:
            notice_lost_clients(connection)
            with writing(connection, context.run.run_id, log=log.info), failures_logged_once(log):
                yield self


class SourcesResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Sources of raw data: the landing folder, the application's database, and the settings for reading them."""

    landing_url: str
    application_url: str
    hash_key: str
    start_date: str
    encrypted_props: str = ""
    phone_regions: str = ""
    encryption_key: str = ""
    erasure_key: str = ""
    incomplete_suffixes: str = ""
    event_source: EventSource = "files"
    load_processes: int = 0
    follow_symlinks: bool = False
    zstd_window_mb: int = ZSTD_WINDOW_MB
    max_expansion: int = MAX_EXPANSION

    @property
    def encryption(self) -> PropEncryption | None:
        """Return the encryption of props; None where no prop is named. Raises EncryptionSettingsError."""
        return PropEncryption.from_settings(self.encrypted_props, self.encryption_key)

    @property
    def rules(self) -> EventRules:
        """Return the lists and settings for validating lines. Raises ValueError for invalid settings."""
        return default_rules().with_settings(phone_regions=self.phone_regions, hash_key=self.hash_key)

    @property
    def landing_root(self) -> LandingRoot:
        """Return the landing folder. Raises LandingError when no files can be there."""
        suffixes = tuple(part for suffix in self.incomplete_suffixes.split(",") if (part := suffix.strip()))
        limits = Limits(zstd_window_mb=self.zstd_window_mb, max_expansion=self.max_expansion)
        return LandingRoot.from_url(
            self.landing_url, suffixes or INCOMPLETE, limits, follows_links=self.follow_symlinks
        )

    @property
    def event_root(self) -> LandingRoot:
        """Return the folder of event files, reduced to extracted files where events come from the application alone."""
        root = self.landing_root
        if self.event_source == "application":
            return replace(root, only_name=FILE_NAME)
        return root

    @property
    def first_day(self) -> date:
        return date.fromisoformat(self.start_date)

    def load_options(
        self, on_day: Callable[[LoadReport], None], on_progress: Callable[[str], None] | None = None
    ) -> LoadOptions:
        """Return the options of a load of landing days. Raises as the properties that it reads."""
        return {
            "root": self.event_root,
            "start_date": self.first_day,
            "encryption": self.encryption,
            "rules": self.rules,
            "erasure_key": self.erasure_key,
            "processes": self.load_processes,
            "on_day": on_day,
            "on_progress": on_progress,
        }


class ExportsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Folder for exported files."""

    folder: str


def landing_root_of_settings() -> LandingRoot:
    """Return the landing folder of this process's settings, for commands. Raises LandingError."""
    found = settings()
    return SourcesResource(
        landing_url=found.landing_url,
        application_url="",
        hash_key="",
        start_date="",
        incomplete_suffixes=found.warehouse_incomplete_suffixes,
        follow_symlinks=found.warehouse_follow_symlinks,
    ).landing_root


def _without_fields(resource: dg.ConfigurableResource) -> dg.ResourceDefinition:  # type: ignore[type-arg]
    """Hide a resource's fields: settings decide them, and a launchpad shows only what a person may choose for a run."""
    return resource.get_resource_definition().configured(dict(resource._resolved_config_dict))


@dg.definitions
def resources() -> dg.Definitions:
    warehouse = WarehouseResource(url=dg.EnvVar("WAREHOUSE_URL"))
    return dg.Definitions(
        executor=locked_run_executor,
        resources={
            "warehouse": _without_fields(warehouse),
            "writer": _without_fields(WriterResource(warehouse=warehouse)),
            "sources": _without_fields(
                SourcesResource(
                    landing_url=dg.EnvVar("LANDING_URL"),
                    application_url=dg.EnvVar("APP_DATABASE_URL"),
                    hash_key=dg.EnvVar("WAREHOUSE_HASH_KEY"),
                    start_date=dg.EnvVar("WAREHOUSE_START_DATE"),
                    encrypted_props=settings().warehouse_encrypted_props,
                    phone_regions=settings().warehouse_phone_regions,
                    incomplete_suffixes=settings().warehouse_incomplete_suffixes,
                    event_source=settings().warehouse_event_source,
                    load_processes=settings().warehouse_load_processes,
                    follow_symlinks=settings().warehouse_follow_symlinks,
                    zstd_window_mb=settings().warehouse_zstd_window_mb,
                    max_expansion=settings().warehouse_max_expansion,
                    # The UI shows no values of an EnvVar, and an EnvVar must be set.
                    encryption_key=dg.EnvVar("WAREHOUSE_ENCRYPTION_KEY") if settings().warehouse_encryption_key else "",
                    erasure_key=dg.EnvVar("WAREHOUSE_ERASURE_KEY") if settings().warehouse_erasure_key else "",
                )
            ),
            "exports": _without_fields(ExportsResource(folder=str(CHECKOUT / settings().warehouse_exports))),
            "dbt": _without_fields(warehouse_dbt()),
        },
    )
