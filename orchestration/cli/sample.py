"""The commands `sample demo` and `sample write`: the sample marketplace, run or only written.

Package sample_data stands above this one. Its modules are imported by name, and only when a command runs.
"""

from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from orchestration.cli.environment import Day, warehouse_for_run


@click.group()
def sample() -> None:
    """Run the sample marketplace, or write its files and tables."""


@sample.command()
@click.option("--extend", "is_extended", is_flag=True, help="add the days since the sample's last day, to yesterday")
@click.option("--end", type=Day(), metavar="DAY", help="the sample's last day; yesterday the first time")
def demo(*, is_extended: bool, end: date | None) -> int:
    """Load sample data of 30 days, run the pipeline, print a summary."""
    warehouse_for_run()
    return int(import_module("sample_data.demo").main(end, is_extended=is_extended))


@sample.command()
@click.option("--landing", type=click.Path(path_type=Path), help="folder of landing files; without it none are written")
@click.option("--app-url", help="postgresql:// URL of the application's database, which must exist")
@click.option("--start", type=Day(), help="first day; 2026-10-01 by default")
@click.option("--days", default=30, show_default=True, help="number of days")
@click.option("--seed", type=int, help="another seed, another marketplace")
@click.option("--events-per-day", type=int, help="lines of the quietest day; 10,800 by default")
def write(
    *,
    landing: Path | None,
    app_url: str | None,
    start: date | None,
    days: int,
    seed: int | None,
    events_per_day: int | None,
) -> None:
    """Write the sample marketplace to a landing folder, an application database, or both."""
    if landing is None and app_url is None:
        raise click.UsageError("nothing to write: give --landing, --app-url, or both")
    chosen = {"start": start, "seed": seed, "events_per_day": events_per_day}
    sample_data = import_module("sample_data")
    try:
        given = {name: value for name, value in chosen.items() if value is not None}
        marketplace = sample_data.Marketplace(days=days, **given)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if app_url:
        _write_application(marketplace, app_url)
    if landing:
        import_module("sample_data.landing_files").write_landing_files(marketplace, landing, click.echo)


def _write_application(marketplace: Any, url: str) -> None:
    from ingestion.application.source import ApplicationUnavailable, connect_application

    tables = marketplace.application_tables()
    try:
        with connect_application(url) as connection:
            written = import_module("sample_data.application_tables").write_application(connection, tables)
    except ApplicationUnavailable as error:
        raise click.ClickException(str(error)) from error
    rows = sum(map(len, tables.values()))
    click.echo(f"the application's database holds {rows:,} rows in {len(tables)} tables; {written:,} were written")
