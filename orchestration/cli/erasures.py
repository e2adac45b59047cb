"""The commands `erasures export|apply|list`: erasures kept outside of the warehouse, and applied after a restore."""

from collections.abc import Iterable
from typing import TextIO

import click

from orchestration.cli.day_ranges import run_job
from orchestration.cli.environment import say, warehouse_for_run


@click.group()
def erasures() -> None:
    """Keep erasures outside of the warehouse, apply them after a restore, list them."""


@erasures.command("export")
@click.argument("file", type=click.File("w"), default="-", metavar="[FILE]")
def export_erasures(file: TextIO) -> None:
    """Write all erasures to FILE, as lines of JSON with hashes and no ids. Keep it apart from backups."""
    from ingestion.subjects import register, schema

    with warehouse_for_run().connect(autocommit=True) as connection:
        schema.create(connection)
        text = register.dump_register(connection)
    file.write(text)
    say(f"{text.count(chr(10)):,} erasures written")


@erasures.command("apply")
@click.option(
    "--from", "copy", type=click.File(), help="A file that `erasures export` has written, where the landing storage too"
    " was restored from an older copy.",
)  # fmt: skip
def apply_erasures(copy: Iterable[str] | None) -> None:
    """Carry out the erasures that a restored warehouse lacks. Nothing is loaded before that.

    The register stands beside the landing files, in the folder erasures. The jobs appear in Dagster's timeline.
    """
    from ingestion.landing.files import LandingError
    from ingestion.subjects import reapplied, register
    from ingestion.subjects.erased_ids import ErasureKeyMissing
    from orchestration.defs.resources import landing_root_of_settings
    from warehouse.settings import settings

    found = warehouse_for_run()
    key = settings().warehouse_erasure_key
    try:
        root = landing_root_of_settings()
        with found.connect(autocommit=True) as connection:
            if copy is not None:
                register.copy_to_storage(root, register.parse_register(copy))
            missing = register.read_missing(connection, root)
            for erasure in missing:
                reapplied.request_again(connection, erasure, erasure_key=key.get_secret_value() if key else "")
    except (LandingError, ErasureKeyMissing, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for erasure in missing:
        say(f"request {erasure.request_id} of {erasure.requested_at:%Y-%m-%d}")
        run_job(
            "erase_subject" if erasure.kind == "erase" else "withdraw_consent", {"request": str(erasure.request_id)}
        )
    say(f"{len(missing):,} erasures applied" if missing else "the warehouse has every erasure of the register")


@erasures.command("list")
def list_erasures() -> None:
    """List the erasures of this warehouse: when, who asked, how many rows, whether they are complete."""
    from ingestion.subjects import schema

    with warehouse_for_run().connect(autocommit=True) as connection:
        schema.create(connection)
        rows = connection.execute(
            """
            select request_id, kind, erased_at, requested_by, completed_at is not null, cardinality(event_dates),
                coalesce((select sum((value ->> 'erased')::bigint) from jsonb_each(table_rows)), 0)
            from ops.erasures order by erased_at
            """
        ).fetchall()
    for request_id, kind, erased_at, requested_by, is_complete, days, count in rows:
        state = "complete" if is_complete else "its days are not all published yet"
        click.echo(
            f"{request_id}  {erased_at:%Y-%m-%d %H:%M}  {kind}  by {requested_by}: {count:,} rows, {days} days, {state}"
        )
