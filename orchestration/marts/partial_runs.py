"""Runs of some models or marts alone: job daily_refresh does their days, since days are built and published as a whole.

One model that is built alone would leave its days without the checks that publication asks for, and one mart that is
published alone would differ from the others.
"""

from collections.abc import Iterator, Set
from functools import cache

import dagster as dg

from orchestration.dbt import specs
from orchestration.instance import started_runs
from orchestration.run_windows import REFRESH, STARTED_BY, run_tags
from publishing.dbt_manifest import manifest
from publishing.marts import marts_of
from warehouse.window import Window


@cache
def _steps() -> tuple[frozenset[dg.AssetKey], frozenset[dg.AssetKey]]:
    """Return the assets of the two steps that are whole or not at all."""
    built = frozenset(spec.key for spec in specs.specs().assets)
    published = frozenset(dg.AssetKey([mart.schema, mart.name]) for mart in marts_of(manifest()))
    return built, published


def is_partial(run: dg.DagsterRun) -> bool:
    """Return whether a run was started for a part of the models or of the marts, or for checks alone."""
    if run.asset_selection:
        return is_part(run.asset_selection)
    # A run of a whole job in its process has an empty selection too, and none of checks.
    return bool(run.asset_check_selection)


def is_part(selected: Set[dg.AssetKey]) -> bool:
    """Return whether the selection has some models or marts, and not all of the step that makes them."""
    return any(step & selected and not step <= selected for step in _steps())


def run_whole_days(context: dg.AssetExecutionContext, window: Window) -> Iterator[dg.MaterializeResult[None]]:
    """Run job daily_refresh for the window, once for a run, and yield a result for each selected asset of the step.

    The run holds no right to write meanwhile. Raises Failure when job daily_refresh fails.
    """
    tags = {**run_tags(window), STARTED_BY: context.run_id}
    finished = dg.RunsFilter(job_name=REFRESH, tags=tags, statuses=[dg.DagsterRunStatus.SUCCESS])
    earlier = context.instance.get_runs(finished, limit=1)
    if earlier:
        run_id = earlier[0].run_id
    else:
        names = ", ".join(sorted(key.to_user_string() for key in context.selected_asset_keys))
        context.log.info(
            f"{names}: days are built, checked and published as a whole, so job {REFRESH} runs for {window}"
        )
        result = started_runs.run_days(context, window)
        run_id = result.run_id
        if not result.success:
            raise dg.Failure(
                f"job {REFRESH} has failed for {window}: its run {run_id} says why. What was published before stays",
                metadata={"run": dg.MetadataValue.dagster_run(run_id)},
                allow_retries=False,
            )
    for key in context.selected_asset_keys:
        yield dg.MaterializeResult(asset_key=key, metadata={"made_by_run": dg.MetadataValue.dagster_run(run_id)})
