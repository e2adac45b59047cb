"""Swaps at the end of a plan, step by step as the job apply_plan does them."""

from uuid import uuid4

from publishing import change_plan, gates, swap
from publishing.publish import Publication
from tests.support.pipeline import GateClosed, Pipeline
from warehouse.writer_lock import writing


def build_rollups(pipeline: Pipeline, run_id: str) -> None:
    """Build and check the rollups of the plan over all published days. Raises GateClosed."""
    progress = change_plan.progress(pipeline.connection, pipeline.version)
    window = change_plan.published_window(pipeline.connection)
    assert progress is not None
    assert window is not None
    swap.begin(pipeline.connection, pipeline.manifest, build_id=run_id)
    pipeline.build_variables = swap.dbt_variables(pipeline.connection, window)
    built = swap.unsealed_window(pipeline.connection, window)
    bounds = ["--event-time-start", built.start.isoformat(), "--event-time-end", built.end.isoformat()]
    for selection in swap.selection(pipeline.manifest, progress):
        pipeline.dbt(["build", *bounds, "--exclude-resource-type", "unit_test", *selection], run_id)
    checks = gates.checks_of(swap.models_built_last(pipeline.manifest, progress))
    outcomes = gates.run_checks_of_swap(
        pipeline.connection,
        window,
        [check for check in checks if pipeline.applicable([check.name])],
        build_id=run_id,
        sqlalchemy_url=pipeline.warehouse.sqlalchemy_url,
    )
    if blocking := [outcome for outcome in outcomes if outcome.blocks]:
        raise GateClosed(blocking)


def swap_marts(pipeline: Pipeline) -> Publication:
    """End the plan. Raises GateClosed or PublicationRefused."""
    run_id = f"swap-{uuid4()}"
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, run_id, log=print):
        build_rollups(pipeline, run_id)
        return swap.publish(pipeline.connection, manifest=pipeline.manifest, loaded=pipeline.version, run_id=run_id)
