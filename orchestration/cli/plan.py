"""The command `plan`: what the present code makes stale, and the run that applies it."""

from datetime import date
from typing import TYPE_CHECKING

import click

from orchestration.backfill_progress import duration
from orchestration.cli.day_ranges import run_job
from orchestration.cli.environment import Day, provisioned_warehouse

if TYPE_CHECKING:
    from publishing.change_plan import Progress
    from publishing.model_plan import PlannedModel


@click.command()
@click.option("--apply", "is_applied", is_flag=True, help="Carry the plan out, by a run of the job apply_plan.")
@click.option(
    "--swap/--in-place",
    "is_swap",
    default=True,
    help="Readers see the new version when every published day has it (--swap, the default), or each chunk of days when"
    " it is ready (--in-place). Weeks, months and periods change at the end.",
)
@click.option(
    "--from",
    "from_day",
    type=Day(),
    metavar="DAY",
    help="Build only days from DAY, YYYY-MM-DD, on. Older days keep the old version; weeks, months and periods mix.",
)
def plan(*, is_applied: bool, is_swap: bool, from_day: date | None) -> None:
    """List the models that the code of this checkout changes, with days, rows and time. Builds nothing without --apply.

    Until a plan is applied, nights build and publish everything that has not changed and depends on no change. Marts
    that wait keep their last day. With --apply the changed models are built for all published days, oldest first, while
    nights go on; then one transaction puts the new version in place. A run that ends early goes on by itself while
    `make ui` runs, or by the same command.

    While `make ui` runs, load the code there first: `Reload` in the UI, or a restart.
    """
    from publishing import change_plan, dbt_manifest, model_plan

    with provisioned_warehouse().connect(autocommit=True) as connection:
        manifest, project = dbt_manifest.manifest(), dbt_manifest.project_version()
        progress = change_plan.progress(connection, project)
        models = model_plan.plan(connection, manifest, project)
        removed = model_plan.removed_marts(connection, manifest)
    for mart in removed:
        click.echo(f"{mart}: no model makes it any more; the plan drops it")
    if models:
        _print(models)
        seconds = model_plan.seconds(models)
        click.echo(f"about {duration(seconds)} for all of it; readers get new days of these marts after that")
        if seconds > model_plan.NIGHT_SECONDS:
            click.echo("that is more than one night: consider --in-place, which publishes each chunk when it is ready")
    if progress:
        _print_progress(progress)
    if not models and not removed and not progress:
        click.echo("no published day has other versions of the models: nothing to build")
    elif is_applied:
        run_job("apply_plan", {"strategy": "SWAP" if is_swap else "IN_PLACE", "from_day": str(from_day or "")})
    elif not progress or progress.other_code:
        click.echo("nothing of this is built before `warehouse plan --apply`")


def _print(models: "list[PlannedModel]") -> None:
    width = max(len(model.name) for model in models)
    click.echo(f"{'model':<{width}}  {'days':>5}  {'from':<10}  {'to':<10}  {'rows, about':>12}  why")
    for model in models:
        why = "depends on a changed model" if model.is_below else "changed"
        click.echo(
            f"{model.name:<{width}}  {model.days:>5}  {model.first_day}  {model.last_day}  {model.rows:>12,}  {why}"
        )


def _print_progress(progress: "Progress") -> None:
    click.echo(f"a plan is carried out for {', '.join(progress.models)}: {len(progress.days_to_build)} days to build")
    if progress.refused:
        days = ", ".join(map(str, progress.refused))
        click.echo(f"refused, so that readers keep the old version: {days}. Correct what the failed check names")
    if progress.other_code:
        models = ", ".join(progress.other_code)
        click.echo(f"the code has changed again in {models}: --apply replaces the plan")
