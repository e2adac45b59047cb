"""The commands `explain conversion` and `explain cell`: where a published number comes from."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from orchestration.cli.environment import Day, warehouse_for_run

if TYPE_CHECKING:
    import psycopg

# The number that is recomputed is another one than the mart shows.
DIFFERENT = 1

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="print one JSON object")
_SHOW_IDS = click.option("--show-ids", is_flag=True, help="show the ids of visitors, which are personal data")


@click.group()
def explain() -> None:
    """Show where a published number comes from: events, rows, run, build, model version, loads.

    The exit code is 1 when the number that is recomputed differs from the published one.
    """


@explain.command()
@click.argument("conversion_id", type=click.UUID, metavar="ID")
@click.option("--day", type=Day(), help="the conversion's day, where its key occurs on several days")
@_AS_JSON
@_SHOW_IDS
def conversion(conversion_id: UUID, *, day: date | None, as_json: bool, show_ids: bool) -> int:
    """Show the touches of a conversion, the rule of each channel, and its weights by model.

    ID is a conversion_id of mart attribution_credits.
    """
    from publishing.explain import reading, text

    return _print(
        lambda connection: reading.explain_conversion(connection, conversion_id, day=day, show_ids=show_ids),
        None if as_json else text.conversion_as_text,
    )


@explain.command()
@click.argument("mart", metavar="MART")
@click.argument("column", metavar="COLUMN")
@click.argument("keys", nargs=-1, metavar="KEY=VALUE...")
@click.option("--rows", default=20, show_default=True, help="list at most this many rows; up to 10,000")
@_AS_JSON
@_SHOW_IDS
def cell(mart: str, column: str, keys: Sequence[str], *, rows: int, as_json: bool, show_ids: bool) -> int:
    """Show the events or rows that make up one number of a mart.

    KEY=VALUE are columns of the mart that identify the row, such as metric_date=2026-10-01. KEY= is null.
    """
    from publishing.explain import reading, text

    given = dict(map(_key, keys))
    return _print(
        lambda connection: reading.explain_cell(connection, mart, column, given, max_rows=rows, show_ids=show_ids),
        None if as_json else text.cell_as_text,
    )


def _key(text: str) -> tuple[str, str | None]:
    name, separator, value = text.partition("=")
    if not separator:
        raise click.UsageError(f"a key is written KEY=VALUE, such as metric_date=2026-10-01, not {text}")
    return name, value or None


def _print(
    read: "Callable[[psycopg.Connection], Mapping[str, Any]]", as_text: Callable[[Mapping[str, Any]], str] | None
) -> int:
    from publishing.explain.reading import NotExplained

    with warehouse_for_run().connect() as connection:
        try:
            answer = read(connection)
        except NotExplained as error:
            raise click.ClickException(str(error)) from error
    click.echo(as_text(answer) if as_text else json.dumps(answer, ensure_ascii=False))
    return 0 if answer["is_equal"] else DIFFERENT
