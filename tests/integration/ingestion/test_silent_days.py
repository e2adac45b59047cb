"""Days without events: refused until a person declares them, and named where they are missing."""

from datetime import UTC, date, datetime

import pytest

from ingestion.silent_days import InvalidDeclaration, declare
from orchestration.defs.jobs.declare_silent_day import declare_silent_day
from quality_checks.days_without_events import day_has_events, published_days_have_events
from quality_checks.periods import periods_have_all_days
from tests.integration.orchestration.test_maintenance_jobs import failure, run
from tests.support.command_line import run_command
from tests.support.pipeline import START, GateClosed, Pipeline
from warehouse.window import ONE_DAY, Window

pytestmark = pytest.mark.models("platform_metrics", "platform_daily_metrics", "daily_metrics_by_channel")

NEXT, FAR = START + ONE_DAY, START + 26 * ONE_DAY


def land(pipeline: Pipeline, *days: date) -> None:
    for day in days:
        pipeline.land(
            day,
            [{"eventType": "asset_viewed", "actorId": "u", "ipAssetId": "a", "occurredAt": f"{day}T12:00:00Z"}],
        )


def shown(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return pipeline.rows("select metric_date, views from marts.platform_daily_metrics order by 1")


def test_a_day_without_events_is_refused_until_it_is_declared_silent(pipeline: Pipeline) -> None:
    pipeline.declares_silence = False
    land(pipeline, START)
    pipeline.run(Window.day(START))
    land(pipeline, NEXT)
    pipeline.land(NEXT, [])
    with pytest.raises(GateClosed) as refused:
        pipeline.run(Window.day(NEXT))
    [outcome] = refused.value.outcomes
    assert (outcome.name, outcome.days) == ("day_has_events", (NEXT,))
    assert outcome.sample == ({"metric_date": str(NEXT), "landing_files": 1, "lines_read": 0},)
    assert "declare_silent_day" in str(outcome.observed["what_to_do"])
    assert shown(pipeline) == [(START, 1)]

    declare(pipeline.connection, NEXT, reason="the office was closed", name="Ana", first_day=START)
    pipeline.run(Window.day(NEXT))
    assert shown(pipeline) == [(START, 1), (NEXT, 0)]
    assert published_days_have_events(pipeline.connection, Window.day(NEXT)).passed
    # A rebuild from nothing but raw and the declarations.
    pipeline.connection.execute("truncate ops.published_days, ops.published_marts, marts.platform_daily_metrics")
    pipeline.run(Window(START, NEXT + ONE_DAY))
    assert shown(pipeline) == [(START, 1), (NEXT, 0)]


def test_a_published_day_that_loses_its_events_is_published_as_empty_and_told(pipeline: Pipeline) -> None:
    pipeline.declares_silence = False
    land(pipeline, START, NEXT)
    pipeline.run(Window(START, NEXT + ONE_DAY))
    assert published_days_have_events(pipeline.connection, Window(START, NEXT + ONE_DAY)).passed
    pipeline.land(NEXT, [])
    pipeline.run(Window.day(NEXT))
    assert shown(pipeline) == [(START, 1), (NEXT, 0)]
    outcome = published_days_have_events(pipeline.connection, Window(START, NEXT + ONE_DAY))
    assert (outcome.passed, outcome.blocks, outcome.days) == (False, False, (NEXT,))
    assert day_has_events(pipeline.connection, Window.day(NEXT)).passed


def test_days_that_are_missing_in_a_period_are_counted_and_named(pipeline: Pipeline) -> None:
    land(pipeline, START, NEXT, FAR)
    pipeline.run(Window(START, NEXT + ONE_DAY))
    assert periods_have_all_days(pipeline.connection, Window.day(NEXT)).passed
    pipeline.run(Window.day(FAR))

    missing = dict(pipeline.rows("select period, days_missing from marts.periods"))
    assert missing == {"today": 0, "7d": 6, "30d": 24, "90d": 24, "1y": 24, "all": 24}
    outcome = periods_have_all_days(pipeline.connection, Window.day(FAR))
    assert (outcome.passed, outcome.blocks) == (False, False)
    assert outcome.days == tuple(Window(NEXT + ONE_DAY, FAR).days())
    assert outcome.sample == (
        {
            "first_missing_date": str(NEXT + ONE_DAY),
            "last_missing_date": str(FAR - ONE_DAY),
            "days_missing": 24,
            "periods": ["7d", "30d", "90d", "1y", "all"],
        },
    )
    views = dict(pipeline.rows("select period, first_date from marts.periods"))
    assert views["all"] is None
    assert views["7d"] == FAR - 6 * ONE_DAY


def test_a_declaration_needs_a_day_that_is_over_and_empty_a_reason_and_a_name(pipeline: Pipeline) -> None:
    land(pipeline, START)
    pipeline.load(Window.day(START))
    today = datetime.now(UTC).date()
    for day, reason, name, why in (
        (NEXT, " ", "Ana", "give a reason"),
        (NEXT, "closed", "", "give a name"),
        (START, "closed", "Ana", "has 1 events of the day"),
        (START - ONE_DAY, "closed", "Ana", "begins with 2026-10-01"),
        (today, "closed", "Ana", "is not over"),
    ):
        with pytest.raises(InvalidDeclaration, match=why):
            declare(pipeline.connection, day, reason=reason, name=name, first_day=START)
    assert pipeline.rows("select * from ops.silent_days") == []
    declare(pipeline.connection, NEXT, reason=" closed ", name="Ana", first_day=START)
    with pytest.raises(InvalidDeclaration, match=r"already, by Ana at .* UTC: closed"):
        declare(pipeline.connection, NEXT, reason="another", name="Ben", first_day=START)


def test_the_job_declares_a_day_and_says_what_it_refuses(pipeline: Pipeline) -> None:
    def declared(**config: str) -> dict[str, object]:
        return {"declare_silent_day_op": {"config": config}}

    assert run(pipeline, declare_silent_day, declared(day=str(NEXT), reason="closed", name="Ana")).success
    rows = pipeline.rows("select event_date, reason, name from ops.silent_days")
    assert rows == [(NEXT, "closed", "Ana")]
    again = run(pipeline, declare_silent_day, declared(day=str(NEXT), reason="", name="Ana"))
    assert "give a reason" in failure(again)
    assert "give the day as YYYY-MM-DD" in failure(run(pipeline, declare_silent_day, declared(day="yesterday")))


def test_the_command_declares_a_day(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.support.code_location import settings_of

    for name, value in settings_of(pipeline.warehouse, pipeline.landing).items():
        monkeypatch.setenv(name, value)
    command = ["declare-silent-day", str(NEXT), "--reason", "closed", "--name", "Ana"]
    assert run_command(*command) == 0
    assert pipeline.rows("select event_date, reason, name from ops.silent_days") == [(NEXT, "closed", "Ana")]
    assert run_command(*command) == 1
    assert "is declared silent already, by Ana" in capsys.readouterr().err
