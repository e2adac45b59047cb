"""Runs of sealed days: they say so and change nothing; other days of their range are run."""

import pytest

from tests.integration.orchestration.one_view import DAY, SECOND, TWO_DAYS, view, views
from tests.support.dagster_runs import DagsterRuns, backfill_here
from tests.support.pipeline import START
from warehouse import retention

SCHEMAS = ("raw", "intermediate", "build", "rollups", "marts")


@pytest.mark.slow
def test_sealed_days_of_a_range_stay_and_the_others_are_run(published: DagsterRuns) -> None:
    pipeline = published.pipeline
    retention.seal(pipeline.connection, SECOND)
    before = pipeline.contents(SCHEMAS)

    sealed = published.run(DAY)
    assert not sealed.is_success
    assert f"every day of {DAY} is sealed" in sealed.error
    assert not sealed.was_tried_again
    backfill, ran = backfill_here(str(START), str(SECOND))
    assert (backfill.is_success, ran) == (False, [])
    assert f"every day of {DAY} is sealed" in backfill.error
    assert pipeline.contents(SCHEMAS) == before

    pipeline.land(SECOND, [view(SECOND, "third"), view(START, "late")])
    rebuilt = published.run(TWO_DAYS, job="rebuild")
    assert rebuilt.is_success, rebuilt.error
    assert f"{DAY} is sealed" in rebuilt.log
    assert views(published) == {START: 1, SECOND: 1}
    assert pipeline.rows("select reasons from raw.rejected_events") == [(["sealed_day"],)]
    # What later days look back on was not built again, and is there.
    assert pipeline.rows("select session_date from intermediate.int_sessions order by 1") == [(START,), (SECOND,)]
