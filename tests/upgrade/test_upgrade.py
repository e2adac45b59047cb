"""An older warehouse under today's code, held against a rebuild. Nothing is lost or left over, and readers read on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import dagster as dg
import psycopg
import pytest

from ingestion import silent_days
from orchestration.cli.provision import prepare
from orchestration.instance.pooled_storage import PooledStorage
from orchestration.landing_sensor import SensorState
from publishing import applied_models, dbt_manifest, renamed_relations, stale_days
from publishing.live_views.creation import VIEWS
from tests.support.code_location import definitions
from tests.support.databases import create_from
from tests.upgrade.older_warehouse import DAYS, EMPTY_DAY, LOGIN, VERSIONS, OlderPipeline, restored, unpack_landing
from warehouse.connection import Warehouse
from warehouse.embedded.server import EmbeddedServer
from warehouse.roles.readers import MARTS, READERS
from warehouse.window import ONE_DAY, Window

pytestmark = pytest.mark.slow

LAST = DAYS.end - ONE_DAY
# What exists, as catalogs tell it; partitions, which there are by days, and Dagster's own storage left out.
CATALOG = {
    "relations": """
        select relnamespace::regnamespace::text, relname, relkind::text,
            obj_description(pg_class.oid, 'pg_class'), relrowsecurity, relforcerowsecurity
        from pg_class where relnamespace::regnamespace::text = any(%(schemas)s) and not relispartition
            and relkind <> 'i'
    """,
    "columns": """
        select attrelid::regclass::text, attname, format_type(atttypid, atttypmod),
            -- A column that a model gains may be null, since rows of published days have no value for it yet.
            attnotnull and relnamespace::regnamespace::text in ('raw', 'ops', 'access'),
            col_description(attrelid, attnum)
        from pg_attribute inner join pg_class on pg_class.oid = attrelid
        where relnamespace::regnamespace::text = any(%(schemas)s) and not relispartition
            and relkind in ('r', 'p', 'v', 'm') and attnum > 0 and not attisdropped
    """,
    "constraints": """
        select conrelid::regclass::text, pg_get_constraintdef(pg_constraint.oid) from pg_constraint
        inner join pg_class on pg_class.oid = conrelid
        where relnamespace::regnamespace::text = any(%(schemas)s) and not relispartition and contype <> 'n'
    """,
    "indexes": """
        select schemaname, tablename, regexp_replace(indexdef, 'INDEX \\S+ ON', 'INDEX ON') from pg_indexes
        inner join pg_class on pg_class.oid = format('%%I.%%I', schemaname, tablename)::regclass
        where schemaname = any(%(schemas)s) and not relispartition
    """,
    "functions": """
        select oid::regprocedure::text, prosrc, prosecdef, proacl::text from pg_proc
        where pronamespace::regnamespace::text = any(%(schemas)s)
    """,
    "grants": """
        select pg_class.oid::regclass::text, grantee::regrole::text, privilege_type
        from pg_class, aclexplode(relacl)
        where relnamespace::regnamespace::text = any(%(schemas)s) and not relispartition
    """,
    "schema grants": """
        select nspname, grantee::regrole::text, privilege_type from pg_namespace, aclexplode(nspacl)
        where nspname = any(%(schemas)s)
    """,
    "policies": "select schemaname, tablename, policyname, roles::text, qual from pg_policies",
    "triggers": "select tgrelid::regclass::text, tgname from pg_trigger where not tgisinternal",
}


# What lies between the oldest and the last ones is tried before a release.
@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.long) if name == "0111791" else name for name in VERSIONS])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def warehouse(test_server: EmbeddedServer, version: str, tmp_path: Path) -> Iterator[Warehouse]:
    """The older warehouse, before today's code has touched it."""
    warehouse = Warehouse.from_embedded(test_server)
    with restored(warehouse, version, tmp_path):
        yield warehouse


@pytest.fixture
def landing(version: str, tmp_path: Path) -> Path:
    return unpack_landing(version, tmp_path)


def catalog(pipeline: OlderPipeline) -> dict[str, set[tuple[Any, ...]]]:
    """Return what exists in the warehouse, without its data."""
    schemas = [
        name
        for (name,) in pipeline.rows(
            "select nspname from pg_namespace where nspname not like 'pg\\_%%' and nspname <> 'information_schema'"
        )
    ]
    with pipeline.warehouse.connect() as connection:
        found = {
            about: set(connection.execute(query, {"schemas": [s for s in schemas if s != "dagster"]}).fetchall())  # type: ignore[arg-type]
            for about, query in CATALOG.items()
        }
    return found | {"schemas": {(name,) for name in schemas}}


def columns_of_marts(warehouse: Warehouse) -> dict[str, list[str]]:
    """The columns of every mart that BI may read, in their order. The freshness of marts is of the moment."""
    with psycopg.connect(warehouse.bi_dsn) as connection:
        rows = connection.execute(
            "select table_name, array_agg(column_name::text order by ordinal_position) from information_schema.columns"
            " where table_schema = 'marts' and not table_name = any(%s) group by 1",
            [[name.removeprefix("marts.") for name in VIEWS]],
        )
        return dict(rows.fetchall())


def read_by_bi(warehouse: Warehouse, columns: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """These columns of marts as BI reads them."""
    with psycopg.connect(warehouse.bi_dsn) as connection:
        return {
            mart: sorted(connection.execute(f"select {', '.join(names)} from marts.{mart}").fetchall(), key=repr)  # type: ignore[arg-type]
            for mart, names in columns.items()
        }


def renamed(columns: dict[str, list[str]]) -> dict[str, list[str]]:
    """The columns of marts by the names that they have now."""
    return {
        mart: [renamed_relations.COLUMNS.get((MARTS, mart), {}).get(name, name) for name in names]
        for mart, names in columns.items()
    }


def read_by_the_login(warehouse: Warehouse) -> list[tuple[str]]:
    """The creators whose dashboard the login of one creator sees."""
    with psycopg.connect(warehouse.superuser_url(warehouse.database)) as connection:
        connection.execute(f"set session authorization {LOGIN}")
        return connection.execute("select distinct creator_id from marts.creator_dashboard").fetchall()


@contextmanager
def somebody_reading(warehouse: Warehouse) -> Iterator[list[str]]:
    """Have BI ask for numbers all the time while the block runs; what went wrong for it is in the list."""
    errors: list[str] = []
    is_over = Event()

    def read() -> None:
        with psycopg.connect(warehouse.bi_dsn, autocommit=True) as connection:
            while not is_over.wait(0.05):
                try:
                    days = connection.execute("select count(distinct metric_date) from marts.daily_metrics").fetchone()
                except psycopg.Error as error:
                    errors.append(str(error))
                else:
                    # The days with events, in old numbers or in new ones.
                    errors.extend([f"{days} days are published"] if days != (len(DAYS) - 1,) else [])

    thread = Thread(target=read)
    thread.start()
    try:
        yield errors
    finally:
        is_over.set()
        thread.join()


def accepted(pipeline: OlderPipeline) -> set[tuple[Any, ...]]:
    """The lines that became events, or wait as copies of one, by file and line."""
    return set(
        pipeline.rows(
            "select file, line_number from raw.events inner join ops.loads using (load_id)"
            " union select file, line_number from raw.duplicate_events inner join ops.loads using (load_id)"
        )
    )


def test_an_older_warehouse_ends_as_one_that_was_always_of_this_version(warehouse: Warehouse, landing: Path) -> None:
    columns = columns_of_marts(warehouse)
    before = read_by_bi(warehouse, columns)
    assert before["daily_metrics"], "the fixture shows nothing: it has no published numbers"

    own = read_by_the_login(warehouse)
    assert len(own) == 1

    # What every command and deployment does first; a second start changes nothing.
    prepare(warehouse)
    prepare(warehouse)
    columns = renamed(columns)
    pipeline = OlderPipeline(warehouse, landing)
    (observed,) = pipeline.rows("select max(observed_date) from raw.licenses")[0]
    lines = accepted(pipeline)
    assert read_by_bi(warehouse, columns) == before, "readers keep their marts"
    assert read_by_the_login(warehouse) == own

    with somebody_reading(warehouse) as errors:
        # A night, before anybody has read what is new; then what the changelog advises.
        pipeline.run(Window.day(LAST))
        assert read_by_bi(warehouse, columns), "readers keep their marts, and every column of these"
        assert lines <= accepted(pipeline), "an accepted line is lost"
        reports = pipeline.reload(DAYS)
        assert [report.landing_date for report in reports] == [day for day in DAYS.days() if day != EMPTY_DAY]
        assert pipeline.reload(DAYS) == []
        assert pipeline.rows(
            "select sum(lines_read - accepted - rejected - duplicates - not_tracked) from ops.loads"
        ) == [(0,)]
        pipeline.read_application(observed)
        # As `warehouse plan --apply`, which versions that know plans wait for.
        applied_models.apply_at_once(pipeline.connection, pipeline.version)
        pipeline.catch_up()
        assert read_by_bi(warehouse, columns), "readers keep their marts, and every column of these"
    assert errors == []
    assert read_by_the_login(warehouse) == own
    migrated, contents = catalog(pipeline), pipeline.contents()
    pipeline.close()

    with psycopg.connect(warehouse.superuser_url("postgres"), autocommit=True) as server:
        server.execute("drop database warehouse with (force)")
        create_from("warehouse_template", warehouse, server)
    rebuilt = OlderPipeline(warehouse, landing)
    rebuilt.read_application(observed)
    # The older warehouse has published it before anybody was asked.
    silent_days.declare(rebuilt.connection, EMPTY_DAY, reason="nothing happened", name="test", first_day=DAYS.start)
    rebuilt.run(DAYS)
    rebuilt.catch_up()
    fresh = catalog(rebuilt)
    for about, expected in fresh.items():
        assert migrated[about] - expected == set(), f"{about} that only the older warehouse has"
        assert expected - migrated[about] == set(), f"{about} that the older warehouse lacks"
    for table, rows in rebuilt.contents().items():
        assert contents[table] == rows, table
    assert {reader.name for reader in READERS} <= {role for (role,) in rebuilt.rows("select rolname from pg_roles")}
    rebuilt.close()


@pytest.mark.parametrize("version", ["e4f137d"], indirect=True)
def test_every_published_day_is_built_once_and_no_stored_line_differs(warehouse: Warehouse, landing: Path) -> None:
    prepare(warehouse)
    pipeline = OlderPipeline(warehouse, landing)
    try:
        project = dbt_manifest.project_version()
        stale = {
            day.event_date: set(day.reasons)
            for day in stale_days.stale_days(pipeline.connection, project=project, before=DAYS.end)
        }
        late, killed = {DAYS.start + ONE_DAY: {"events_changed"}}, {LAST: {"built_and_not_published"}}
        assert stale == {day: {"models_changed"} | (late | killed).get(day, set()) for day in DAYS.days()}

        # The digest of the rules covers names of the code, so that every day is loaded again when somebody asks.
        marks = "select event_date, reason, change_id from ops.stale_day_marks order by 1, 2"
        before = pipeline.rows(marks)
        assert len(pipeline.reload(DAYS)) == len(DAYS) - 1
        assert pipeline.rows(marks) == before
    finally:
        pipeline.close()


def test_what_dagster_remembers_is_read_on(warehouse: Warehouse) -> None:
    prepare(warehouse)
    storage = PooledStorage.from_config_value(None, {"postgres_url": warehouse.dagster_storage_url})
    try:
        runs = storage.run_storage.get_runs()
        assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.STARTED}
        assert storage.event_log_storage.get_materialized_partitions(dg.AssetKey(["marts", "daily_metrics"])) == {
            day.isoformat() for day in DAYS.days()
        }
        states = storage.schedule_storage.all_instigator_state()
    finally:
        for part in (storage.run_storage, storage.event_log_storage, storage.schedule_storage):
            part._engine.dispose()  # type: ignore[attr-defined]
    # A sensor that somebody stopped stays stopped, and what belongs to others is not touched.
    named = {(state.origin.location_name, state.instigator_name): state.status.value for state in states}
    assert named == {
        ("warehouse", "stale_days_sensor"): "DECLARED_IN_CODE",
        ("warehouse", "landing_files_sensor"): "STOPPED",
        ("elsewhere", "late_events_sensor"): "RUNNING",
    }
    known = {sensor.name for sensor in definitions().get_repository_def().sensor_defs}
    assert known >= {name for location, name in named if location == "warehouse"}, "a state of a sensor that is gone"
    # Cursors have another form now; the files that one of the old form names are looked at anew.
    cursors = {state.instigator_data.cursor for state in states}  # type: ignore[union-attr]
    assert [(("gone.ndjson" in cursor), SensorState.parse(cursor)) for cursor in cursors] == [(True, SensorState())]
