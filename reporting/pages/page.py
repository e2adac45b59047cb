"""The page: its sections read in one snapshot of the warehouse, put into the template, and written as one file."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import jinja2
import psycopg
from markupsafe import Markup

from reporting.pages import creator, last_night, numbers, platform
from reporting.pages.blocks import Message
from warehouse.atomic_file import atomic_writer

_HERE: Final = Path(__file__).parent
# Nobody waits longer for a page, and a publication least of all.
_SECONDS: Final = 20
_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HERE),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def report(
    connection: psycopg.Connection,
    *,
    now: datetime,
    creator_id: str | None = None,
    faults: Sequence[Message] = (),
    currency: str = "",
) -> str:
    """Return the page as of `now`, UTC. The connection is in no transaction. Raises CreatorNotFound.

    `creator_id` is by default the creator with the most revenue. `faults` are what is wrong with the warehouse.
    `currency` is that of all amounts, where it is known.
    """
    with connection.transaction():
        # A publication that commits meanwhile is in all numbers or in none.
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute(f"set local statement_timeout = '{_SECONDS}s'")
        night = last_night.section(connection, now=now, faults=faults)
        sections = [platform.section(connection), creator.section(connection, creator_id), night]
    return _ENVIRONMENT.get_template("report.html.jinja").render(
        sections=sections,
        state=night.messages[0].text,
        written_at=numbers.moment(now),
        currency=currency or "the currency of the marketplace",
        # The style sheet is the project's own.
        style=Markup((_HERE / "report.css").read_text()),  # noqa: S704
    )


def write_report(
    path: Path,
    connection: psycopg.Connection,
    *,
    now: datetime,
    creator_id: str | None = None,
    faults: Sequence[Message] = (),
    currency: str = "",
) -> None:
    """Write the page, in one step and for its owner alone. Raises CreatorNotFound and OSError."""
    page = report(connection, now=now, creator_id=creator_id, faults=faults, currency=currency)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A person and a publication may write at once: each has a draft of its own.
    draft_path = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with atomic_writer(path, is_durable=False, draft_path=draft_path) as draft:
        draft.file.write(page.encode())


def remove_reports(folder: Path) -> None:
    """Remove all pages in a folder, and the drafts of writers that were killed. Raises OSError."""
    for file in (*folder.glob("*.html"), *folder.glob(".*.html.*.tmp")):
        file.unlink(missing_ok=True)
