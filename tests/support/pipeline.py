"""The whole chain of a warehouse under test, step by step as the Dagster assets run it, and a way to compare two."""

import gzip
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from attribution import schema as attribution_schema
from ingestion import schema
from ingestion.ad_spend import schema as ad_spend_schema
from ingestion.application import schema as application_schema
from ingestion.application.source import connect_application
from ingestion.application.sync import read_application
from ingestion.loading.landing_day import LoadReport, load_window
from orchestration.dbt import cli_resource
from publishing import applied_models, build_steps, builds, dbt_manifest, dbt_tests, gates, mart_tables, stale_days
from publishing.loaded_version import PROJECT_DIR
from publishing.marts import marts_of
from publishing.publish import Publication, publish
from quality_checks.outcome import CheckOutcome
from quality_checks.registry import Check
from quality_checks.suite import Suite
from tests.support.checks_of_models import CHECKS_OF
from tests.support.dbt_here import run_dbt
from tests.support.keys import ERASURE, KEYS
from tests.support.table_contents import table_names, table_rows
from warehouse.connection import Warehouse
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import writing

START = date(2026, 10, 1)
COMPARED_SCHEMAS = ("raw", "intermediate", "build", "rollups", "marts")
# What the last run touched, and not what there is.
NOT_COMPARED = {"build.visitor_asset_last_seen", "build.visitor_lifespans"}
# The only stale days a test looks at are those that a nightly run would see.
FAR = date(2100, 1, 1)


class GateClosed(Exception):
    """A blocking check failed; the window was not published."""

    def __init__(self, outcomes: Sequence[CheckOutcome]) -> None:
        self.outcomes = outcomes
        super().__init__("; ".join(f"{outcome.name} on {outcome.days}: {outcome.observed}" for outcome in outcomes))


class Pipeline:
    """One warehouse, one landing folder.

    `suites` adds the Great Expectations suites, which take seconds to import. With `models` only these and what they
    are made from are built, in a warehouse where the others are there, and stay empty. Without `data_tests` a build is
    not tested.
    """

    # How the columns of a table stand in its contents.
    column_order = "attnum"

    def __init__(
        self, warehouse: Warehouse, landing: Path, *, suites: bool = False, models: Sequence[str] = ()
    ) -> None:
        self.warehouse = warehouse
        self.landing = landing
        self.suites = suites
        self.models = models
        self.data_tests = True
        self.project_dir = PROJECT_DIR
        self.manifest = dbt_manifest.manifest()
        self.version = dbt_manifest.project_version()
        # The models that the last build was limited to; None for all.
        self.built_models: list[str] | None = None
        # Facts about the build that is under way, for dbt.
        self.build_variables: dict[str, str] = {}
        # Days of a run that have no event are declared silent before they are checked.
        self.declares_silence = True
        self.connection = warehouse.connect(autocommit=True)
        # A warehouse may have been made from the template with the models.
        self.is_built = self.rows("select to_regclass('staging.event_types') is not null") == [(True,)]
        schema.create(self.connection)
        application_schema.create(self.connection)
        ad_spend_schema.create(self.connection)
        attribution_schema.create(self.connection)
        mart_tables.create_missing_tables(self.connection, marts_of(dbt_manifest.manifest()))

    def land(
        self,
        day: date,
        events: Iterable[Mapping[str, Any] | tuple[Mapping[str, Any], ...] | str | bytes],
        name: str = "part-0.ndjson",
    ) -> Path:
        """Write a landing file: a mapping as one JSON line, a tuple of them as another, text and bytes as they are."""
        lines = [
            json.dumps(event).encode()
            if isinstance(event, Mapping)
            else "".join(map(json.dumps, event)).encode()
            if isinstance(event, tuple)
            else event.encode()
            if isinstance(event, str)
            else event
            for event in events
        ]
        path = self.landing / "events" / f"dt={day}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = b"".join(line + b"\n" for line in lines)
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
        return path

    def load(self, window: Window) -> list[LoadReport]:
        """Load landing days, exactly these."""
        (self.landing / "events").mkdir(parents=True, exist_ok=True)
        reports = load_window(self.connection, root=self.landing, window=window, start_date=START, **ERASURE)
        stale_days.mark_stale_days(self.connection)
        return reports

    def read_application(self, observed_date: date) -> None:
        """Read the product's own tables."""
        assert self.warehouse.application_url is not None
        with connect_application(self.warehouse.application_url) as source:
            read_application(source, self.connection, observed_date=observed_date, **KEYS)
        stale_days.mark_stale_days(self.connection)

    def run(self, window: Window, *, load: bool = True) -> str:
        """The chain for a window: load, gate, build, gate, publish. Returns the run's id; raises GateClosed."""
        run_id = f"test-{uuid4()}"
        with self.warehouse.connect(autocommit=True) as lock, writing(lock, run_id, log=print):
            if load:
                self.load(Window(window.start, window.end + ONE_DAY))
            if self.declares_silence:
                self.declare_silence(window)
            self.run_checks(window, run_id, gates.RAW_CHECKS)
            self.build(window, run_id)
            self.run_checks(window, run_id, gates.BUILD_CHECKS)
            self.publish(window, run_id)
        return run_id

    def declare_silence(self, window: Window) -> None:
        """Declare the days of the window silent that have no event and were never published."""
        self.connection.execute(
            "insert into ops.silent_days (event_date, reason, name)"
            " select day, 'nothing happened', 'a test' from unnest(%s::date[]) as day"
            " where (select 1 from raw.events where event_date = day limit 1) is null"
            " and not exists (select from ops.published_days where event_date = day) on conflict do nothing",
            [list(window.days())],
        )

    def run_checks(self, window: Window, build_id: str, checks: Sequence[Check]) -> list[CheckOutcome]:
        outcomes = gates.run_checks(
            self.connection,
            window,
            build_id=build_id,
            checks=[check for check in checks if check.is_blocking and self.applicable([check.name])],
            sqlalchemy_url=self.warehouse.sqlalchemy_url,
        )
        if blocking := [outcome for outcome in outcomes if outcome.blocks]:
            raise GateClosed(blocking)
        return outcomes

    def applicable(self, names: Sequence[str]) -> list[str]:
        """Return the names of those checks whose models are built here."""
        left_out = set() if self.project_dir == PROJECT_DIR else {"channels_fit_the_funnel"}  # edits change one funnel
        if not self.suites:
            left_out |= {check.name for check in (*gates.RAW_CHECKS, *gates.BUILD_CHECKS) if isinstance(check, Suite)}
        for model, checks in CHECKS_OF.items():
            if self.models and model not in self.models:
                left_out |= {check.name for check in checks}
        return [name for name in names if name not in left_out]

    def build(self, window: Window, build_id: str, *more: str) -> None:
        """Build and test a window under a build id."""
        plan = builds.begin(self.connection, window, build_id=build_id, project=self.version)
        self.built_models = plan.models
        arguments = [*cli_resource.build_arguments(window), *more]
        self.build_variables = builds.dbt_variables(self.connection, window, build_id=build_id)
        if self.models:
            self.dbt([*arguments, *self._selection()], build_id)
        else:
            partial = None
            if plan.models is not None:
                partial = build_steps.Partial.of(self.manifest, plan.models, plan.project.not_built)
            *before, last = build_steps.selections(window, window, partial) or [("--select", "nothing")]
            # Several selections would be added up; what depends on the fits is windowed anyway.
            more = self._selection() if partial is None else []
            for selection in before:
                self.dbt([*arguments, *selection, *more], build_id)
            if partial is None or partial.has_fits:
                build_steps.fit(self.connection, window, window, build_id=build_id, log=print)
            self.dbt([*arguments, *(last or more)], build_id)
        self.is_built = True
        builds.complete(self.connection, window, build_id=build_id)
        dbt_tests.record_passed(self.connection, window, build_id=build_id)

    def _selection(self) -> list[str]:
        # Seeds and views stay as the first build made them; building them again would cost most of a small test.
        only_windowed = "config.materialized:windowed" if self.is_built else ""
        selected = [",".join(filter(None, (f"+{model}", only_windowed))) for model in self.models] or [only_windowed]
        options = ["--select", *selected] if selected != [""] else []
        if self.models:
            # Tests that also read what is not built would miss its rows.
            options += ["--indirect-selection", "buildable"]
        if self.is_built:
            # dbt need not know which views a dropped table takes along, and looks up only the schemas it writes.
            options += ["--no-populate-cache"]
        return options

    def dbt(self, arguments: Sequence[str], build_id: str = "") -> None:
        """Run dbt; raises AssertionError with its words when it fails."""
        untested = [] if self.data_tests else ["--exclude-resource-type", "test"]
        run_dbt(
            self.warehouse,
            [*arguments, *untested],
            build_id,
            build_variables=self.build_variables if build_id else None,
            project_dir=self.project_dir,
        )

    def load_project(self, folder: Path, *, is_applied: bool = True) -> None:
        """Work with another version of the dbt project, as after a reload. Its changes are applied, or wait."""
        manifest = folder / "target" / "manifest.json"
        if not manifest.exists():
            dbt_manifest.parse(folder)
        self.project_dir = folder
        self.manifest = json.loads(manifest.read_bytes())
        self.version = dbt_manifest.project_version_of(self.manifest, dbt_manifest.variables_of(folder), folder)
        if is_applied:
            applied_models.apply_at_once(self.connection, self.version)

    def create_models(self) -> None:
        """Build every seed, view and table, without a row in the windowed ones, and leave no trace of the build."""
        self.dbt([*cli_resource.build_arguments(Window.day(START)), "--exclude-resource-type", "test"])
        made = [f"{schema_name}.{name}" for schema_name, name in dbt_manifest.windowed_tables(dbt_manifest.manifest())]
        self.connection.execute(f"truncate {', '.join(made)}")  # type: ignore[arg-type]

    def publish(self, window: Window, run_id: str) -> Publication:
        return publish(
            self.connection,
            marts=marts_of(self.manifest),
            window=window,
            run_id=run_id,
            raw_checks=self.applicable(gates.RAW_GATE),
            build_checks=self.applicable(gates.build_gate(applied_models.not_built(self.connection, window))),
        )

    def catch_up(self) -> list[Window]:
        """Run stale days again until none is left, as the sensor does. Returns the windows that were run."""
        ran = []
        for _ in range(10):
            stale = stale_days.stale_days(self.connection, project=self.version, before=FAR)
            if not stale:
                return ran
            for window in stale_days.windows_of(day.event_date for day in stale):
                self.run(window, load=False)
                ran.append(window)
        raise AssertionError(f"days stay stale: {stale}")

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.connection.execute(query, parameters).fetchall()  # type: ignore[arg-type]

    def contents(self, schemas: Sequence[str] = COMPARED_SCHEMAS) -> dict[str, list[tuple[str, ...]]]:
        """Return the rows of every table of these schemas, without the columns that tell where a row came from."""
        return {
            name: table_rows(self.connection, name, column_order=self.column_order)
            for name in table_names(self.connection, schemas)
            if name not in NOT_COMPARED
        }

    def run_with_failing_model(self, model: str, window: Window) -> None:
        """The chain, with one model that fails in the database when its rows are written."""
        (schema_name,) = self.rows(
            "select schemaname from pg_tables where tablename = %s and schemaname <> 'marts'", model
        )[0]
        table = f"{schema_name}.{model}"
        self.connection.execute(
            f"""
            create or replace function ops.fail() returns trigger language plpgsql
            as 'begin raise exception ''the model fails on purpose''; end';
            create trigger fail before insert on {table} for each statement execute function ops.fail();
            """  # type: ignore[arg-type]
        )
        try:
            self.run(window)
        finally:
            self.connection.execute(f"drop trigger fail on {table}; drop function ops.fail()")  # type: ignore[arg-type]

    def wipe(self) -> None:
        """Forget everything that was ever loaded, built or published, and the landing folder with it."""
        tables = table_names(self.connection, (*COMPARED_SCHEMAS, "ops"))
        kept = {"ops.writer"}
        self.connection.execute(f"truncate {', '.join(sorted({*tables} - kept))}")  # type: ignore[arg-type]
        shutil.rmtree(self.landing, ignore_errors=True)

    def reconnect(self) -> None:
        """A new connection after the old one was killed."""
        self.connection = self.warehouse.connect(autocommit=True)

    def close(self) -> None:
        self.connection.close()
