"""Changed models: which days and models become stale, what a run builds of them, and that the marts equal a rebuild."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from publishing import model_plan, stale_days
from tests.integration.publishing.edited_projects import FEWER, TWICE, Projects, edited
from tests.integration.publishing.test_incremental_equals_rebuild import (
    WINDOW,
    create_licenses,
    day_by_day,
    land,
    random_files,
)
from tests.support.pipeline import FAR, START, Pipeline

LAST_DAY = max(WINDOW.days())


def described_and_renamed(folder: Path) -> None:
    """Write comments and descriptions, and give a macro another name."""
    edited("daily_metrics.sql", "measured as (", "-- Of people.\nmeasured as (\n")(folder)
    edited(
        "marts/core/_funnel__models.yml", "  - name: funnel_daily\n", "  - name: funnel_daily\n    docs: {show: true}\n"
    )(folder)
    for path in (*folder.glob("models/**/*.sql"), *folder.glob("macros/**/*.sql")):
        path.write_text(re.sub(r"\bpercentage\(", "share_in_percent(", path.read_text()))


@pytest.fixture
def load_project(pipeline: Pipeline, tmp_path: Path) -> Callable[..., None]:
    """Return a function that loads the project with these edits."""
    return partial(Projects(pipeline, tmp_path).load, is_applied=True)


def stale(pipeline: Pipeline) -> dict[tuple[str, ...], set[int]]:
    """Return the stale days, counted from the first, by the models that make them stale."""
    found: dict[tuple[str, ...], set[int]] = {}
    for day in stale_days.stale_days(pipeline.connection, project=pipeline.version, before=FAR):
        assert day.reasons == ("models_changed",)
        found.setdefault(day.models, set()).add((day.event_date - START).days)
    return found


@pytest.mark.slow
def test_changed_models_are_built_alone_and_end_as_a_rebuild(
    pipeline: Pipeline, load_project: Callable[..., None]
) -> None:
    files = random_files(1)
    create_licenses(pipeline, asset_of="asset-2")
    day_by_day(pipeline, files)
    pipeline.catch_up()
    days = set(range(len(WINDOW)))
    before = pipeline.contents()

    load_project(described_and_renamed)
    assert stale(pipeline) == {}

    load_project(FEWER)
    assert stale(pipeline) == {("asset_top_referrers",): {(LAST_DAY - START).days}}
    assert len(pipeline.catch_up()) == 1
    assert pipeline.built_models == ["asset_top_referrers"]
    assert stale(pipeline) == {}

    load_project(FEWER, TWICE)
    (planned,) = model_plan.plan(pipeline.connection, pipeline.manifest, pipeline.version)
    assert planned[:4] == ("funnel_daily", len(days), START, LAST_DAY)
    assert stale(pipeline) == {("funnel_daily",): days}
    pipeline.catch_up()
    assert pipeline.built_models == ["funnel_daily"]
    changed = pipeline.contents()
    assert {table for table in before if changed[table] != before[table]} >= {
        "build.funnel_daily",
        "marts.funnel_daily",
    }
    assert {table.partition(".")[2] for table in before if changed[table] != before[table]} <= {
        "funnel_daily",
        "asset_top_referrers",
    }

    load_project()
    assert set(stale(pipeline)) == {("funnel_daily",), ("asset_top_referrers", "funnel_daily")}
    pipeline.catch_up()
    assert pipeline.contents() == before, "edited back, every table is as it was"

    load_project(FEWER, TWICE)
    pipeline.wipe()
    land(pipeline, files)
    pipeline.read_application(START)
    pipeline.run(WINDOW)
    pipeline.catch_up()
    assert pipeline.built_models is None, "without a published day there is nothing to keep"
    assert pipeline.contents() == changed


@pytest.mark.long
def test_a_day_with_late_events_is_built_whole_when_a_model_has_changed_too(
    pipeline: Pipeline, load_project: Callable[..., None]
) -> None:
    files = random_files(1)
    land(pipeline, files[:-1])
    pipeline.run(WINDOW)
    load_project(TWICE)
    land(pipeline, files[-1:])
    pipeline.load(WINDOW)
    pipeline.catch_up()
    incremental = pipeline.contents()
    pipeline.wipe()
    land(pipeline, files)
    pipeline.run(WINDOW)
    pipeline.catch_up()
    assert incremental == pipeline.contents()
