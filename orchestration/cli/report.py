"""The command `report`: one page of HTML with the platform, a creator and the last night."""

from pathlib import Path

import click

from orchestration.cli.environment import say, warehouse_for_run


@click.command()
@click.option("--creator", "creator_id", metavar="ID", help="a creator_id; by default the one with the most revenue")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="the file to write; by default report.html in the folder of exports, as each publication does",
)
def report(creator_id: str | None, output: Path | None) -> None:
    """Write the report: one page with the platform, a creator and the last night, to open in a browser.

    The page needs no server and no network. It is for its owner alone: it names a creator.
    """
    warehouse = warehouse_for_run()
    import psycopg

    from orchestration.reports import writing
    from orchestration.reports.place import default_path
    from reporting.pages.creator import CreatorNotFound
    from warehouse.settings import MissingSetting

    try:
        path = output or default_path()
        writing.write(warehouse, path, creator_id)
    except (CreatorNotFound, MissingSetting) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"the report cannot be written to {output or path}: {error.strerror}") from error
    except psycopg.Error as error:
        raise click.ClickException(f"the report cannot be read from the warehouse: {error}") from error
    say(f"the report is written; open it in a browser: {path.resolve()}")
