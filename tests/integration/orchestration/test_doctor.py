"""The doctor on warehouses that are sound, and on such as have one thing wrong with them."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from orchestration.doctor import machine, postgres, state
from orchestration.doctor.finding import Finding, Level
from tests.support.code_location import settings_of, settings_read_again
from tests.support.command_line import run_command
from warehouse.connection import Warehouse
from warehouse.window import ONE_DAY

YESTERDAY = datetime.now(UTC).date() - ONE_DAY
Doctor = Callable[..., tuple[int, dict[str, Finding]]]


@pytest.fixture
def open_connection(connection: psycopg.Connection) -> psycopg.Connection:
    connection.commit()
    connection.autocommit = True
    return connection


@pytest.fixture
def doctor(
    warehouse: Warehouse, open_connection: psycopg.Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Doctor:
    """The command, and its findings by subject. Yesterday and the day before are published."""
    for day in (YESTERDAY - ONE_DAY, YESTERDAY):
        open_connection.execute(
            "insert into ops.published_days (event_date, build_id, run_id, change_id, model_version)"
            " values (%s, 'b', 'r', 1, 'v')",
            [day],
        )

    def run(**more: str) -> tuple[int, dict[str, Finding]]:
        environment: Mapping[str, str] = {
            **settings_of(warehouse, tmp_path),
            "WAREHOUSE_ALERT_FREE_GIGABYTES": "0",
            "WAREHOUSE_ALERT_WEBHOOK": "https://hooks.example/secret",
            **more,
        }
        with settings_read_again():
            code = run_command("doctor", "--json", environment=environment)
        found = json.loads(capsys.readouterr().out)
        return code, {one["subject"]: Finding(**one) for one in found}

    return run


def test_a_sound_warehouse_has_no_fault(doctor: Doctor) -> None:
    code, found = doctor()
    assert code == 0, found
    sound = {"Python", "packages", "server", "Postgres", "clock", "disk", "grants", "writer", "locks", "faults"}
    assert {subject for subject in sound if found[subject].level != Level.OK} == set()
    assert found["alerts"].text == "go to webhook"
    assert {one.subject for one in found.values() if one.level != Level.OK and not one.advice} == set()


def test_a_day_that_is_not_published_in_time_is_a_fault(doctor: Doctor, open_connection: psycopg.Connection) -> None:
    open_connection.execute("delete from ops.published_days where event_date = %s", [YESTERDAY])
    code, found = doctor(WAREHOUSE_PUBLISH_DEADLINE="00:00")
    assert code == 1
    late = found["day not published in time"]
    assert (late.level, late.text) == (Level.FAULT, str(YESTERDAY))
    assert "warehouse backfill" in late.advice


def test_rights_that_were_taken_are_a_fault_and_the_doctor_leaves_them(
    doctor: Doctor, open_connection: psycopg.Connection
) -> None:
    open_connection.execute("revoke usage on schema marts from bi_reader")
    for _ in range(2):
        code, found = doctor()
        assert code == 1
        assert found["grants"].level == Level.FAULT
        assert "grant usage on schema marts to bi_reader" in found["grants"].text


def test_the_writer_is_named(doctor: Doctor, warehouse: Warehouse) -> None:
    from warehouse.writer_lock import writing

    with warehouse.connect(autocommit=True) as other, writing(other, "run-of-tonight", log=print):
        _, found = doctor()
        assert "run-of-tonight" in found["writer"].text
    _, found = doctor()
    assert found["writer"].text == "no run is writing"


def test_a_session_that_makes_others_wait_is_named(
    open_connection: psycopg.Connection, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_LONG_WAIT", timedelta(0))
    with warehouse.connect() as holder:
        holder.execute("lock table ops.loads")
        [finding] = [one for one in postgres.locks(open_connection) if one.subject == "locks"]
        pid = holder.info.backend_pid
    assert finding.level is Level.WARNING
    assert finding.advice == f"end it: select pg_terminate_backend({pid})"


def test_erasures_that_a_restored_warehouse_lacks_are_a_fault(doctor: Doctor, tmp_path: Path) -> None:
    assert doctor()[1]["erasures"].level == Level.OK
    (tmp_path / "erasures").mkdir()
    (tmp_path / "erasures" / "7c0d1f7e-8a54-4d7c-9d4e-1f0f6c2b9a11.json").write_text("{}")
    code, found = doctor()
    assert code == 1
    assert found["erasures"].level == Level.FAULT
    assert "warehouse erasures apply" in found["erasures"].advice


@pytest.mark.parametrize(
    ("off", "level"),
    [(timedelta(seconds=20), Level.WARNING), (timedelta(days=1), Level.FAULT), (-ONE_DAY, Level.FAULT)],
)
def test_a_clock_that_is_wrong_is_seen(
    open_connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, off: timedelta, level: Level
) -> None:
    class WrongClock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # noqa: ARG003
            return datetime.now(UTC) + off

    monkeypatch.setattr(postgres, "datetime", WrongClock)
    [finding] = postgres.clock(open_connection)
    assert finding.level is level


def test_a_deployment_that_is_off_is_seen(doctor: Doctor, open_connection: psycopg.Connection) -> None:
    open_connection.execute("""
        create table dagster.daemon_heartbeats (timestamp timestamp);
        create table dagster.runs (run_id text, status text, end_time float, pipeline_name text);
        insert into dagster.daemon_heartbeats values (now() at time zone 'UTC' - interval '7 days');
        insert into dagster.runs values ('a-run', 'FAILURE', 1, 'daily_refresh');
    """)
    _, found = doctor()
    assert found["Dagster"].level == found["last run"].level == Level.WARNING
    assert "a-run" in found["last run"].text
    open_connection.execute("update dagster.daemon_heartbeats set timestamp = now() at time zone 'UTC'")
    assert doctor()[1]["Dagster"].level == Level.OK


def test_a_sensor_whose_last_tick_failed_is_a_fault(doctor: Doctor, open_connection: psycopg.Connection) -> None:
    open_connection.execute("""
        create table dagster.daemon_heartbeats (timestamp timestamp);
        create table dagster.runs (run_id text, status text, end_time float, pipeline_name text);
        create table dagster.job_ticks (job_origin_id text, status text, timestamp timestamp, tick_body text);
        insert into dagster.job_ticks
        select name, status, now() at time zone 'UTC' - age, json_build_object('job_name', name)
        from (values
            ('mended_sensor', 'FAILURE', interval '2 minutes'), ('mended_sensor', 'SKIPPED', interval '1 minute'),
            ('broken_sensor', 'SUCCESS', interval '2 minutes'), ('broken_sensor', 'FAILURE', interval '1 minute')
        ) as ticks (name, status, age)
    """)
    code, found = doctor()
    assert code == 1
    assert found["sensors"].text == "broken_sensor fails, and does nothing"


def test_a_daemon_that_lives_without_code_is_seen(doctor: Doctor, open_connection: psycopg.Connection) -> None:
    open_connection.execute("""
        create table dagster.daemon_heartbeats (timestamp timestamp);
        create table dagster.runs (run_id text, status text, end_time float, pipeline_name text);
        create table dagster.job_ticks (job_origin_id text, status text, timestamp timestamp, tick_body text);
        insert into dagster.daemon_heartbeats values (now() at time zone 'UTC');
        insert into dagster.job_ticks
        values ('a', 'SKIPPED', now() at time zone 'UTC' - interval '1 hour', '{"job_name": "alerts_sensor"}');
    """)
    assert doctor()[1]["Dagster"].level == Level.WARNING
    open_connection.execute("update dagster.job_ticks set timestamp = now() at time zone 'UTC'")
    assert doctor()[1]["Dagster"].level == Level.OK


def test_days_and_files_that_have_waited_for_long_are_a_warning(open_connection: psycopg.Connection) -> None:
    open_connection.execute("insert into ops.waiting_files values ('events/x', %s, 'damaged')", [YESTERDAY])
    now = datetime.now(UTC)
    assert [one.level for one in state.stale_days(open_connection, now)] == [Level.OK, Level.WARNING]
    first, _ = state.stale_days(open_connection, now + timedelta(days=2))
    assert (first.level, str(YESTERDAY) in first.text) == (Level.WARNING, True)


def test_a_channel_that_is_down_is_a_fault(doctor: Doctor, open_connection: psycopg.Connection) -> None:
    open_connection.execute("""
        insert into ops.alerts (kind, opened_at) values ('disk_full', now());
        insert into ops.alert_messages (alert_id, channel, state, next_try_at, last_error)
        select alert_id, 'webhook', 'open', now(), 'the webhook answers with status 503' from ops.alerts;
    """)
    code, found = doctor()
    assert code == 1
    assert "status 503" in found["alerts"].text
    assert found["open alerts"].level == Level.WARNING


def test_a_server_that_does_not_answer_is_one_sentence(doctor: Doctor) -> None:
    code, found = doctor(WAREHOUSE_URL="postgresql://owner:secret@127.0.0.1:9/warehouse")
    assert code == 1
    assert "cannot be reached" in found["server"].text
    assert "secret" not in str(found)
    assert "Postgres" not in found


def test_a_key_that_everybody_knows_and_a_file_that_everybody_reads_are_warnings(tmp_path: Path) -> None:
    file = tmp_path / ".env.local"
    file.write_text("")
    file.chmod(0o644)
    environment = {
        "WAREHOUSE_HASH_KEY": "local-demo-key-0000",
        "WAREHOUSE_ERASURE_KEY": "local-demo-erasure-key-0000",
    }
    found = machine.settings_file(environment, is_embedded=False, checkout=tmp_path)
    assert [(one.subject, one.level) for one in found] == [
        ("settings", "warning"),
        ("hash key", "warning"),
        ("erasure key", "warning"),
    ]


def test_packages_are_compared_with_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "click==0.1 \\\n    --hash=sha256:0\nno-such-package==1.0 \\\n    --hash=sha256:0\n"
        'for-another-system==1 ; sys_platform == "nowhere" \\\n    --hash=sha256:0\n'
    )
    missing, other = machine.packages(lock)
    assert (missing.level, other.level) == (Level.FAULT, Level.WARNING)
    assert "1 of 2 are not installed: no-such-package" in missing.text
    assert "click" in other.text


def test_processes_that_a_killed_run_has_left_are_named(tmp_path: Path) -> None:
    from warehouse.connection import CHECKOUT

    for pid, parent, command in ((1, 0, "init"), (70, 1, f"{CHECKOUT}/.venv/bin/warehouse-dbt"), (71, 70, "other")):
        folder = tmp_path / str(pid)
        folder.mkdir()
        (folder / "cmdline").write_text(command.replace(" ", "\0"))
        (folder / "stat").write_text(f"{pid} (a name) S {parent} 0")
    [finding] = machine.processes(tmp_path)
    assert (finding.level, finding.advice) == (Level.WARNING, "look at them, and end each: kill 70")
    # In a container the first process is the service itself.
    (tmp_path / "1" / "cmdline").write_text("dagster-daemon run")
    assert [one.level for one in machine.processes(tmp_path)] == [Level.OK]
