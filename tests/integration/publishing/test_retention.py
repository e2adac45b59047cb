"""Retention: the rows of sealed days go, and every number that readers see stays, or comes out as it would have."""

import pytest

from publishing.publish import PublicationRefused
from publishing.rerun_check import rerun_is_idempotent
from publishing.retention_bounds import RAW_DUPLICATES, RAW_EVENTS, RAW_REJECTED
from quality_checks.loads import load_counts_add_up
from tests.integration.publishing.sealed_history import (
    END,
    FIRST_UNSEALED,
    SEALED_DAY,
    UNSEALED,
    all_bounds,
    apply,
    changed,
    event,
    holding,
    publish_history,
    published,
)
from tests.support.pipeline import Pipeline
from warehouse.window import ONE_DAY, Window


@pytest.mark.slow
def test_numbers_stay_and_come_out_as_they_would_have(pipeline: Pipeline) -> None:
    publish_history(pipeline)
    before = published(pipeline)
    sealed = apply(pipeline)
    assert sealed.rows.keys() >= {RAW_EVENTS, RAW_REJECTED, RAW_DUPLICATES, "intermediate.int_sessions"}
    assert published(pipeline) == before
    assert pipeline.rows("select 1 from marts.sessions where metric_date < %s", FIRST_UNSEALED), "they still count"
    whose = "select min(metric_date) from marts.sessions where visitor_id is not null"
    assert pipeline.rows(whose)[0][0] >= FIRST_UNSEALED
    for bound in all_bounds():
        if bound.relation.split(".")[0] == "build":
            assert (
                pipeline.rows(f"select 1 from {bound.relation} where {bound.column} < %s limit 1", bound.before) == []
            )
    assert apply(pipeline).rows == {}
    with holding(pipeline), pytest.raises(PublicationRefused, match=f"{SEALED_DAY} is sealed"):
        pipeline.publish(Window.day(SEALED_DAY), "test-retention")

    # The rest is built again, by the gates of every night.
    pipeline.run(UNSEALED, load=False)
    assert rerun_is_idempotent(pipeline.connection, UNSEALED).passed
    assert load_counts_add_up(pipeline.connection, UNSEALED).passed
    assert changed(before, published(pipeline)) == {}

    # Visitors of sealed days come back for a day, and are taken away again.
    again = [event(FIRST_UNSEALED, "15:00:00", {"anonymousId": f"guest-{number}"}) for number in range(7)]
    again.append(event(FIRST_UNSEALED, "15:00:00", {"actorId": "ana"}, "license_created", props={"revenueCents": 7}))
    again.append(event(SEALED_DAY, "15:00:00", {"anonymousId": "guest-0"}))
    for lines in (again, []):
        pipeline.land(FIRST_UNSEALED, lines, "again.ndjson")
        pipeline.load(Window.day(FIRST_UNSEALED))
        pipeline.catch_up()
        if lines:
            assert pipeline.rows("select reasons from raw.rejected_events where reasons = array['sealed_day']") != []
            assert pipeline.rows("select unique_visitors from marts.asset_metrics where period = 'all'") > []
            assert changed(before, published(pipeline)) != {}
    assert changed(before, published(pipeline)) == {}

    # As if the last publication had made every rollup by other code: they are built from all days that there are.
    pipeline.connection.execute(
        """
        insert into ops.model_versions
        select 'older', model, case when is_whole then 'older' else version end, is_whole
        from ops.model_versions where project_version = (select model_version from ops.published_days limit 1);
        update ops.published_days set model_version = 'older'
        """
    )
    assert pipeline.catch_up() == [Window.day(END - ONE_DAY)]
    assert pipeline.rows("select is_full_rebuild from ops.last_build") == [(True,)]
    assert changed(before, published(pipeline)) == {}
