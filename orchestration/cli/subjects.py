"""The commands `erase-subject`, `export-subject`, `withdraw-consent`: requests of persons, carried out by jobs.

Ids stay on this machine: the command writes a request to the warehouse, and the job's config names the request.
"""

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from orchestration.cli.day_ranges import run_job
from orchestration.cli.environment import say, warehouse_for_run

if TYPE_CHECKING:
    from ingestion.subjects.requests import RequestKind
    from ingestion.subjects.subject import NamedIds

_F = TypeVar("_F", bound=Callable[..., Any])
_KINDS: Final = {"actor": "persons", "device": "devices", "email": "emails"}


class Moment(click.ParamType[datetime]):
    """An argument that is a time with an offset, or a day, whose midnight in UTC is meant."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"give the time as YYYY-MM-DDTHH:MM:SS+00:00, or the day as YYYY-MM-DD, not as {value!r}", param, ctx
            )
        if moment.tzinfo is None and "T" in value:
            self.fail(f"{value} has no offset, such as +00:00 or Z: in which time zone was it?", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _names_subjects(command: _F) -> _F:
    options = (
        click.option("--actor", "actors", multiple=True, metavar="ID", help="An actor id: users.id. May be repeated."),
        click.option("--device", "devices", multiple=True, metavar="ID", help="An anonymous id. May be repeated."),
        click.option("--email", "emails", multiple=True, metavar="ADDRESS", help="An address of the product's users."),
        click.option(
            "--ids", "ids_file", type=click.File(), help="A file, or - for standard input, of lines such as `actor ID`,"
            " `device ID` or `email ADDRESS`. Arguments of a command can be read by other users of the machine.",
        ),
        click.option("--by", "requested_by", required=True, metavar="NAME", help="Who asks; kept with the proof."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


_dry_run: Final = click.option("--dry-run", is_flag=True, help="Count the rows, and change nothing.")


@click.command("erase-subject")
@_names_subjects
@_dry_run
def erase_subject(
    actors: tuple[str, ...],
    devices: tuple[str, ...],
    emails: tuple[str, ...],
    ids_file: Iterable[str] | None,
    requested_by: str,
    *,
    dry_run: bool,
) -> None:
    """Erase persons everywhere, and publish the days that change. Several ids may be those of several persons.

    Actors lead to their devices and sessions, and to other accounts of the same address. A device that other persons
    use too stays theirs. Creators and brands with assets, licenses or payouts keep these under a random id.

    WAREHOUSE_ERASURE_KEY has to be set. The command may be interrupted: the same job goes on with the request, whose id
    is printed.
    """
    _carry_out("erase", "erase_subject", _named(actors, devices, emails, ids_file), requested_by, is_dry_run=dry_run)


@click.command("withdraw-consent")
@_names_subjects
@click.option(
    "--from", "withdrawn_from", type=Moment(), required=True, metavar="TIME",
    help="Events from then on are erased: a time with its offset, or a day.",
)  # fmt: skip
@_dry_run
def withdraw_consent(
    actors: tuple[str, ...],
    devices: tuple[str, ...],
    emails: tuple[str, ...],
    ids_file: Iterable[str] | None,
    requested_by: str,
    withdrawn_from: datetime,
    *,
    dry_run: bool,
) -> None:
    """Erase events of persons from a time on, also those that are still to come. The product's tables stay."""
    named = _named(actors, devices, emails, ids_file)
    _carry_out(
        "withdraw_consent", "withdraw_consent", named, requested_by, is_dry_run=dry_run, withdrawn_from=withdrawn_from
    )


@click.command("export-subject")
@_names_subjects
def export_subject(
    actors: tuple[str, ...],
    devices: tuple[str, ...],
    emails: tuple[str, ...],
    ids_file: Iterable[str] | None,
    requested_by: str,
) -> None:
    """Write all that is held about persons to one archive of JSON and CSV in the folder of exports."""
    _carry_out("export", "export_subject", _named(actors, devices, emails, ids_file), requested_by, is_dry_run=False)


def _named(
    actors: Iterable[str], devices: Iterable[str], emails: Iterable[str], ids_file: Iterable[str] | None
) -> "NamedIds":
    from ingestion.subjects.subject import NamedIds, NoSubject

    ids = {"persons": [*actors], "devices": [*devices], "emails": [*emails]}
    for number, line in enumerate(ids_file or (), 1):
        kind, _, text = line.strip().partition(" ")
        if not line.strip():
            continue
        if kind not in _KINDS or not text.strip():
            raise click.UsageError(f"line {number} of the ids is not `actor ID`, `device ID` or `email ADDRESS`")
        ids[_KINDS[kind]].append(text.strip())
    try:
        return NamedIds(**{kind: tuple(dict.fromkeys(found)) for kind, found in ids.items()})
    except NoSubject as error:
        raise click.UsageError(str(error)) from error


def _carry_out(
    kind: str,
    job: str,
    named: "NamedIds",
    requested_by: str,
    *,
    is_dry_run: bool,
    withdrawn_from: datetime | None = None,
) -> None:
    from ingestion.subjects import requests
    from ingestion.subjects.erased_ids import ErasureKeyMissing, require_key
    from warehouse.settings import settings

    found = warehouse_for_run()
    request_kind = requests.RequestKind(kind)
    try:
        if request_kind is not requests.RequestKind.EXPORT:
            key = settings().warehouse_erasure_key
            require_key(key.get_secret_value() if key else "")
        with found.connect(autocommit=True) as connection:
            request_id = requests.create_request(
                connection, request_kind, named, requested_by=requested_by, withdrawn_from=withdrawn_from
            )
            _print_rows(connection, request_id, request_kind)
            if is_dry_run:
                with connection.cursor() as cursor:
                    requests.finish_request(cursor, request_id)
                    cursor.execute("delete from ops.subject_requests where request_id = %s", [request_id])
                click.echo("nothing was changed")
                return
    except (requests.InvalidRequest, ErasureKeyMissing) as error:
        raise click.ClickException(str(error)) from error
    say(f"request {request_id}; should the run die, `dg launch --job {job}` goes on with it")
    run_job(job, {"request": str(request_id)})


def _print_rows(connection: Any, request_id: Any, kind: "RequestKind") -> None:
    """Print how many ids and rows a request is about, without naming any id."""
    from ingestion.subjects import erasure, requests
    from warehouse.settings import settings

    request = requests.read_request(connection, str(request_id), (kind,))
    assert request is not None  # noqa: S101
    hash_key = settings().warehouse_hash_key.get_secret_value()
    with connection.transaction(), connection.cursor() as cursor:
        subject, rows = erasure.preview(cursor, request, hash_key=hash_key)
    click.echo(
        f"{len(subject.persons)} actor ids, {len(subject.devices)} devices, {len(subject.sessions)} sessions,"
        f" {len(subject.creators)} creators, {len(subject.brands)} brands;"
        f" {len(subject.shared_devices)} devices are shared with other persons and stay"
    )
    for table, count in rows.items():
        click.echo(f"{table}: {count:,} rows")
    if not any(rows.values()):
        sys.stdout.flush()
        say("no row has any of these ids: check them. Landing files are searched all the same")
