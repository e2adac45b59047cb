"""Publication: the conditions that refuse it, and marts that stay as they were."""

import pytest

from publishing import dbt_manifest, gates, stale_days
from publishing.publish import PublicationRefused
from tests.integration.publishing.one_view import BOTH, DAY, NEXT, publish_as_a_run, view, views_in_marts
from tests.support.pipeline import FAR, START, GateClosed, Pipeline
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import writing

pytestmark = pytest.mark.models("daily_metrics", "daily_metrics_by_channel")


def test_a_closed_raw_gate_leaves_marts_alone(published: Pipeline) -> None:
    published.land(START, [view(START, "first"), view(START, "second")])
    published.load(DAY)
    published.connection.execute("update ops.loads set lines_read = lines_read + 1 where replaced_by is null")

    with pytest.raises(GateClosed, match="load_counts_add_up"):
        published.run(DAY)

    assert views_in_marts(published) == [(START, 1)]
    assert published.rows("select count(*) from ops.stale_day_marks") == [(1,)], (
        "the day stays stale until it is published"
    )


def test_a_closed_build_gate_leaves_marts_alone(published: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    published.land(START, [view(START, "first"), view(START, "second")])
    build = published.build

    def build_and_lose_a_view(window: Window, build_id: str) -> None:
        build(window, build_id)
        published.connection.execute("update build.daily_metrics set views = views - 1")

    with monkeypatch.context() as patched:
        patched.setattr(published, "build", build_and_lose_a_view)
        with pytest.raises(GateClosed, match="daily_metrics_match_raw_events"):
            published.run(DAY)
    assert views_in_marts(published) == [(START, 1)]

    published.run(DAY)
    assert views_in_marts(published) == [(START, 2)]


def test_a_failed_dbt_test_leaves_marts_alone(published: Pipeline) -> None:
    published.land(START, [view(START, "first"), view(START, "second")])
    published.connection.execute(
        """
        create function ops.lose_channel() returns trigger language plpgsql
        as 'begin new.channel := null; return new; end';
        create trigger lose_channel before insert on intermediate.int_events_sessionized
        for each row execute function ops.lose_channel();
        """
    )
    with pytest.raises(AssertionError, match="not_null_int_events_sessionized_channel"):
        published.run(DAY)
    assert views_in_marts(published) == [(START, 1)]
    with pytest.raises(PublicationRefused, match="2026-10-01 is not completely built"):
        publish_as_a_run(published, DAY)


def test_a_day_that_was_never_built_is_refused_by_name(published: Pipeline) -> None:
    with pytest.raises(PublicationRefused, match="2026-10-02 is not completely built"):
        publish_as_a_run(published, BOTH)
    assert views_in_marts(published) == [(START, 1)]


def test_a_window_whose_weeks_and_periods_have_been_built_for_another_one_since_is_refused(published: Pipeline) -> None:
    """Schema build still has the day, but the week in it was made from what was published without it."""
    with published.warehouse.connect(autocommit=True) as lock, writing(lock, "unpublished", log=print):
        published.build(DAY, "unpublished")
        published.run_checks(DAY, "unpublished", gates.BUILD_CHECKS)
    published.run(NEXT)
    before = published.contents(["marts", "rollups"])
    with pytest.raises(PublicationRefused, match="belong to another build"):
        publish_as_a_run(published, DAY)
    assert published.contents(["marts", "rollups"]) == before
    (stale,) = stale_days.stale_days(published.connection, project=dbt_manifest.project_version(), before=FAR)
    assert (stale.event_date, stale.reasons) == (START, ("built_and_not_published",))


def test_a_build_whose_checks_were_not_recorded_is_refused(published: Pipeline) -> None:
    published.connection.execute("delete from ops.check_results where check_name = 'channels_add_up_to_daily_metrics'")
    with pytest.raises(PublicationRefused, match="channels_add_up_to_daily_metrics has not passed on build test-"):
        publish_as_a_run(published, DAY)


def test_a_verdict_on_raw_does_not_count_for_what_was_loaded_after_it(published: Pipeline) -> None:
    published.land(START, [view(START, "first"), view(START, "second")])
    published.load(DAY)
    with published.warehouse.connect(autocommit=True) as lock, writing(lock, "no-raw-gate", log=print):
        published.build(DAY, "no-raw-gate")
        published.run_checks(DAY, "no-raw-gate", gates.BUILD_CHECKS)
    with pytest.raises(PublicationRefused, match="load_counts_add_up has not passed on what build no-raw-gate read"):
        publish_as_a_run(published, DAY)


def test_a_verdict_on_raw_counts_for_later_builds_of_the_same_raw(published: Pipeline) -> None:
    with published.warehouse.connect(autocommit=True) as lock, writing(lock, "same-raw", log=print):
        published.build(DAY, "same-raw")
        published.run_checks(DAY, "same-raw", gates.BUILD_CHECKS)
    publish_as_a_run(published, DAY)
    assert published.rows("select build_id, run_id from ops.published_days") == [("same-raw", "publisher")]


def test_what_arrives_while_a_day_is_built_keeps_the_day_stale(
    published: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = published.build

    def build_and_load(window: Window, build_id: str) -> None:
        build(window, build_id)
        published.land(START, [view(START, "third")], "late.ndjson")
        published.load(DAY)

    published.land(START, [view(START, "first"), view(START, "second")])
    with monkeypatch.context() as patched:
        patched.setattr(published, "build", build_and_load)
        # The gate sees that raw has moved on; had it not, the day would have stayed stale.
        with pytest.raises(GateClosed, match="daily_metrics_match_raw_events"):
            published.run(DAY)
    stale = stale_days.stale_days(published.connection, project=dbt_manifest.project_version(), before=FAR)
    assert [day.event_date for day in stale] == [START]
    published.catch_up()
    assert views_in_marts(published) == [(START, 3)]


def test_days_published_from_other_models_are_stale(published: Pipeline) -> None:
    published.connection.execute("update ops.published_days set model_version = 'older'")
    (stale,) = stale_days.stale_days(published.connection, project=dbt_manifest.project_version(), before=FAR)
    assert (stale.event_date, stale.reasons) == (START, ("models_changed",))
    published.catch_up()
    assert stale_days.stale_days(published.connection, project=dbt_manifest.project_version(), before=FAR) == []


def test_stale_days_become_as_few_runs_as_they_have_gaps() -> None:
    days = [START + offset * ONE_DAY for offset in (4, 0, 1, 1, 5, 9)]
    assert stale_days.windows_of(days) == [
        Window(START, START + 2 * ONE_DAY),
        Window(START + 4 * ONE_DAY, START + 6 * ONE_DAY),
        Window.day(START + 9 * ONE_DAY),
    ]


def test_runs_are_few_and_keep_refused_days_apart() -> None:
    days = [START + offset * ONE_DAY for offset in range(6)]
    assert stale_days.plan_windows(days, apart={days[2]}, at_most=2) == [
        Window(days[0], days[2]),
        Window.day(days[2]),
        Window(days[3], days[5]),
        Window.day(days[5]),
    ]


def test_a_day_is_refused_until_a_later_verdict_passes_it(published: Pipeline) -> None:
    assert stale_days.refused_days(published.connection) == set()
    published.connection.execute("update ops.loads set lines_read = lines_read + 1")
    with pytest.raises(GateClosed):
        published.run(DAY)
    assert stale_days.refused_days(published.connection) == {START}
    published.connection.execute("update ops.loads set lines_read = lines_read - 1")
    published.run(DAY)
    assert stale_days.refused_days(published.connection) == set()
