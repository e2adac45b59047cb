"""Changes of code where days are sealed: the sealed ones keep their numbers, whatever takes the place of the others."""

from pathlib import Path

import pytest

from publishing import change_plan, dbt_manifest
from tests.integration.publishing.edited_projects import RETYPED, Projects, edited
from tests.integration.publishing.sealed_history import (
    FIRST_UNSEALED,
    UNSEALED,
    apply,
    changed,
    publish_history,
    published,
)
from tests.integration.publishing.three_days import stale
from tests.support.pipeline import Pipeline
from tests.support.plans import swap_marts

# Changes nothing about the rows, and is above nearly every mart.
SAME_ROWS = edited("int_events_attributed.sql", "where not is_next_day_part", "where not is_next_day_part and true")
ANOTHER_TYPE = edited("int_sessions.sql", "count(*) as events,", "cast(count(*) as integer) as events,")


@pytest.mark.long
def test_a_swap_leaves_sealed_days_weeks_and_months_as_they_are(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_history(pipeline)
    monkeypatch.setattr(dbt_manifest, "project_version", lambda: pipeline.version)
    projects = Projects(pipeline, tmp_path)
    before = published(pipeline)
    funnel = "select metric_date, step_number, visitors::bigint from marts.funnel_daily order by 1, 2"
    steps = pipeline.rows(funnel)
    apply(pipeline)

    projects.load(SAME_ROWS, ANOTHER_TYPE, RETYPED)
    assert change_plan.apply(pipeline.connection, pipeline.version)
    assert set(stale(pipeline)) == set(UNSEALED.days())
    pipeline.catch_up()
    swap_marts(pipeline)
    after = published(pipeline)
    del before["marts.funnel_daily"], after["marts.funnel_daily"]
    assert changed(before, after) == {}
    assert pipeline.rows(funnel) == [
        (day, step, visitors if day < FIRST_UNSEALED else 2 * visitors) for day, step, visitors in steps
    ]
    mixed = "select mixed_since from ops.applied_models where model = 'funnel_daily'"
    assert pipeline.rows(mixed) == [(FIRST_UNSEALED,)]
    assert stale(pipeline) == {}

    # Nights go on, and the rows that came back to schema build go again.
    pipeline.run(UNSEALED, load=False)
    assert changed(before, {name: rows for name, rows in published(pipeline).items() if name in before}) == {}
    assert {name for name in apply(pipeline).rows if not name.startswith("build.")} == set()
