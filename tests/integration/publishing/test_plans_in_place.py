"""Plans that publish each chunk when it is ready, and plans that leave older days as they are."""

from typing import Any

import pytest

from publishing import change_plan
from tests.integration.publishing.edited_projects import FEWER, THRICE, TWICE, Projects
from tests.integration.publishing.three_days import FIRST, SECOND, stale
from tests.support.pipeline import Pipeline
from tests.support.plans import swap_marts
from warehouse.window import ONE_DAY, Window


def visitors(pipeline: Pipeline) -> list[Any]:
    rows = pipeline.rows("select sum(visitors)::int from marts.funnel_daily group by metric_date order by metric_date")
    return [count for (count,) in rows]


def versions(pipeline: Pipeline, mart: str) -> list[tuple[Any, ...]]:
    return pipeline.rows(
        "select plan, lower(older_version_days), upper(older_version_days), mixed_since"
        " from marts.data_freshness where mart = %s",
        mart,
    )


@pytest.mark.slow
def test_days_of_both_versions_are_named_while_readers_see_them_side_by_side(
    two_days: Pipeline, projects: Projects
) -> None:
    pipeline = two_days
    first, second = visitors(pipeline)
    referrers = pipeline.contents(["marts"])["marts.asset_top_referrers"]
    assert len(referrers) > 1
    projects.load(TWICE, FEWER)
    change_plan.apply(pipeline.connection, pipeline.version, is_in_place=True)
    pipeline.run(Window.day(FIRST), load=False)
    assert visitors(pipeline) == [2 * first, second]
    assert versions(pipeline, "funnel_daily") == [("in progress", SECOND, SECOND + ONE_DAY, None)]
    assert pipeline.contents(["marts"])["marts.asset_top_referrers"] == referrers, "periods do not mix versions"
    pipeline.catch_up()
    assert visitors(pipeline) == [2 * first, 2 * second]
    assert pipeline.contents(["marts"])["marts.asset_top_referrers"] == referrers
    swap_marts(pipeline)
    assert len(pipeline.contents(["marts"])["marts.asset_top_referrers"]) < len(referrers)
    assert versions(pipeline, "funnel_daily") == [(None, None, None, None)]

    projects.load(THRICE, FEWER)
    change_plan.apply(pipeline.connection, pipeline.version, from_date=SECOND)
    assert stale(pipeline) == {SECOND: ("funnel_daily",)}
    pipeline.catch_up()
    assert visitors(pipeline) == [2 * first, 2 * second], "published at the end"
    swap_marts(pipeline)
    assert visitors(pipeline) == [2 * first, 3 * second]
    assert stale(pipeline) == {}
    assert versions(pipeline, "funnel_daily") == [(None, None, None, SECOND)]
    assert versions(pipeline, "daily_metrics") == [(None, None, None, None)]
