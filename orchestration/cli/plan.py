"""The command `plan`: the models and days that the present code makes stale, before Dagster loads it."""

import click

from orchestration.cli.environment import provisioned_warehouse


@click.command()
def plan() -> None:
    """List the models that the code of this checkout makes stale, with days and rows. Builds nothing.

    While `make ui` runs, an edit takes effect when Dagster loads the code: `Reload` in the UI, or a restart. The sensor
    then builds these models for their days. Readers keep the old rows until each run is published.
    """
    from publishing import dbt_manifest, model_plan

    with provisioned_warehouse().connect() as connection:
        manifest = dbt_manifest.manifest()
        models = model_plan.plan(connection, manifest, dbt_manifest.project_version())
        removed = model_plan.removed_marts(connection, manifest)
    for mart in removed:
        click.echo(f"{mart}: no model makes it any more; the next publication drops it")
    if not models:
        click.echo("no published day has other versions of the models: nothing to build")
        return
    width = max(len(model.name) for model in models)
    click.echo(f"{'model':<{width}}  {'days':>5}  {'from':<10}  {'to':<10}  {'rows, about':>12}  why")
    for model in models:
        why = "depends on a changed model" if model.is_below else "changed"
        click.echo(
            f"{model.name:<{width}}  {model.days:>5}  {model.first_day}  {model.last_day}  {model.rows:>12,}  {why}"
        )
