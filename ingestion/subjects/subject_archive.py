"""Export of all that is held about a subject: one archive with a JSON summary and a CSV file a table."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from ingestion.subjects.id_columns import id_columns
from ingestion.subjects.mentions import pattern, searched_ids
from ingestion.subjects.subject import Subject
from warehouse.atomic_file import atomic_writer

_BATCH_ROWS: Final = 2_000
# Copies and rejected lines hold their ids in JSON and text.
_COPIES: Final = (("raw", "duplicate_events", "candidate::text"), ("raw", "rejected_events", "line"))
_READ_ME: Final = (
    "All rows of the warehouse that name this person. subject.json lists the ids by which they were found, and the"
    " number of rows by table. Each CSV file has the rows of one table. Times are UTC."
)


@dataclass(frozen=True, slots=True)
class ExportedSubject:
    """The archive of an export, and the number of rows by table."""

    path: Path
    rows: dict[str, int]


def export_subject(
    connection: psycopg.Connection, subject: Subject, path: Path, *, log: Callable[[str], None] = lambda _: None
) -> ExportedSubject:
    """Write all that is held about a subject to a zip file, as of one snapshot. Its owner alone can read the file."""
    rows: dict[str, int] = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read read only")
        connection.execute("set local timezone = 'UTC'")
        with atomic_writer(path) as draft, zipfile.ZipFile(draft.file, "w", zipfile.ZIP_DEFLATED) as archive:
            for (schema, table), condition in _conditions(connection, subject).items():
                name = f"{schema}.{table}"
                count = _write_table(connection, archive, schema, table, condition)
                if count:
                    rows[name] = count
                    log(f"{name}: {count:,} rows")
            summary = {"about": _READ_ME, "ids": subject.as_json(), "rows": rows}
            archive.writestr("subject.json", json.dumps(summary, indent=2, ensure_ascii=False))
    return ExportedSubject(path, rows)


def _conditions(connection: psycopg.Connection, subject: Subject) -> dict[tuple[str, str], sql.Composable]:
    """Return by table the condition that a row names the subject."""
    found: dict[tuple[str, str], list[sql.Composable]] = {}
    for column in id_columns(connection, subject):
        found.setdefault((column.schema, column.table), []).append(column.condition)
    if searched := pattern(searched_ids(subject)):
        for schema, table, text in _COPIES:
            condition = sql.SQL("{} ~ {}").format(sql.SQL(text), sql.Literal(searched))
            found.setdefault((schema, table), []).append(condition)
    if events := found.get(("raw", "events")):
        own = sql.SQL("(event_date, event_key) in (select event_date, event_key from raw.events where {})")
        found["raw", "attribution"] = [own.format(sql.SQL(" or ").join(events))]
    return {table: sql.SQL(" or ").join(conditions) for table, conditions in sorted(found.items())}


def _write_table(
    connection: psycopg.Connection, archive: zipfile.ZipFile, schema: str, table: str, condition: sql.Composable
) -> int:
    """Write the rows of one table as a member of the archive; nothing when there are none. Return their number."""
    query = sql.SQL("select * from {} where {}").format(sql.Identifier(schema, table), condition)
    count = 0
    with connection.cursor("exported_rows") as cursor:
        cursor.execute(query)
        batch = cursor.fetchmany(_BATCH_ROWS)
        if not batch:
            return 0
        with (
            archive.open(f"{schema}.{table}.csv", "w") as member,
            io.TextIOWrapper(member, "utf-8", newline="") as text,
        ):
            writer = csv.writer(text)
            writer.writerow([column.name for column in cursor.description or ()])
            while batch:
                writer.writerows([[_cell(value) for value in row] for row in batch])
                count += len(batch)
                batch = cursor.fetchmany(_BATCH_ROWS)
    return count


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.hex() if isinstance(value, bytes) else value
