"""Rewriting of landing files without a subject: an erased line becomes an empty line, a Parquet row an empty row.

Lines keep their numbers. A file is replaced in one step, and ops.loads has its new checksum in the same moment as far
as two systems can: should the process die in between, the next run of the landing day loads the file again, which
leaves the subject out by the hashes of its ids.
"""

import gzip
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO, Final, cast

import psycopg

from ingestion.landing.files import (
    COMPRESSED,
    PARQUET,
    LandingError,
    LandingFile,
    LandingRoot,
    landing_days,
    landing_files,
)
from ingestion.landing.parquet import rows_as_lines
from ingestion.landing.reading import checksum, opened, seekable
from ingestion.landing.storage import StorageError
from ingestion.landing.unpacking import unpacked
from ingestion.subjects.erased_lines import LineEditor
from warehouse.window import Window

# Returns a line without what is to be erased, and the positions of the events that are erased from it.
Edit = Callable[[bytes], tuple[bytes, list[int]]]
# In place of the digest of rules: the file is loaded again with the next reload.
_TO_RELOAD: Final = "mentions of a person were erased"
_IN_MEMORY: Final = 67_108_864
_GZIP_LEVEL: Final = 6


@dataclass(slots=True)
class _Erased:
    """Positions of erased events by line. Of the lines in `cut` other events remain, and move up."""

    positions: dict[int, list[int]] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)
    has_mentions: bool = False


def rewrite_landing_files(
    connection: psycopg.Connection,
    root: LandingRoot,
    editor_of: Callable[[date], LineEditor],
    *,
    log: Callable[[str], None],
) -> int:
    """Rewrite every landing file that holds what is to be erased, loaded or not. Return their number.

    Files in which other persons' events have lost mentions have to be loaded again: they count as loaded under other
    rules until then.

    Each file is replaced and its row of ops.loads updated before the next is read, so that a run that died goes on.
    Raises LandingError.
    """
    rewritten = 0
    days, _ = landing_days(root)
    for day in days:
        editor = editor_of(day)
        for file in landing_files(root, Window.day(day)):
            found = rewrite_file(connection, file, editor.edit)
            if found is not None:
                rewritten += 1
                log(f"{file.name}: rewritten; {found:,} events erased")
    return rewritten


def landing_days_to_reload(connection: psycopg.Connection) -> list[date]:
    """Return the landing days with files in which mentions were erased since they were loaded, oldest first."""
    rows = connection.execute(
        "select distinct landing_date from ops.loads where replaced_by is null and rules_digest = %s order by 1",
        [_TO_RELOAD],
    )
    return [day for (day,) in rows]


def rewrite_file(connection: psycopg.Connection, file: LandingFile, edit: Edit) -> int | None:
    """Rewrite one landing file. Return the number of erased events; None, if nothing in it changes.

    Raises LandingError.
    """
    erased = _Erased()
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="landing-") as copy:
        content = cast(BinaryIO, copy)
        if file.name.endswith(PARQUET):
            is_changed = _edit_rows(file, content, edit, erased)
        else:
            is_changed = _edit_lines(file, content, edit, erased)
        if not is_changed:
            return None
        size = content.tell()
        content.seek(0)
        before = checksum(file)
        try:
            file.storage.write(file.name, content)
        except StorageError as error:
            raise LandingError(
                f"{file.location} names an erased person and cannot be written ({error}): give the account that runs"
                " Dagster the right to replace landing files, and run the job again"
            ) from error
    _record(connection, file, before, size, erased)
    return sum(map(len, erased.positions.values()))


def _edit_lines(file: LandingFile, target: BinaryIO, edit: Edit, erased: _Erased) -> bool:
    is_changed = False
    with opened(file) as stored, io.BufferedReader(cast(Any, unpacked(file, stored))) as lines, _packer(
        file, target
    ) as write:  # fmt: skip
        for number, line in enumerate(lines, 1):
            content = line.rstrip(b"\r\n")
            edited, positions = edit(content)
            if positions:
                erased.positions[number] = positions
                if edited:
                    erased.cut.add(number)
            is_changed = is_changed or edited != content
            erased.has_mentions = erased.has_mentions or (edited != content and not positions)
            write(edited + line[len(content) :])
    return is_changed


@contextmanager
def _packer(file: LandingFile, target: BinaryIO) -> Iterator[Callable[[bytes], object]]:
    packed = COMPRESSED.get(f".{file.name.rpartition('.')[2]}")
    if packed == "gzip":
        # Without a name and a time in the header, so that equal lines give equal bytes.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=target, mtime=0) as stream:
            yield stream.write
    elif packed == "zstd":
        from backports import zstd

        with zstd.ZstdFile(target, mode="wb") as compressed:
            yield compressed.write
    else:
        yield target.write


def _edit_rows(file: LandingFile, target: BinaryIO, edit: Edit, erased: _Erased) -> bool:
    """Write a Parquet file again with empty rows in place of erased ones.

    Mentions in other rows' columns are replaced in their JSON form, which only rows of the file's text columns have.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with opened(file) as stored, seekable(stored) as rows:
        number = 1
        texts: dict[int, bytes] = {}
        for lines in rows_as_lines(rows, file.limits):
            for line in lines:
                content = line if isinstance(line, bytes) else line.head
                edited, positions = edit(content)
                if positions:
                    erased.positions[number] = positions
                elif edited != content:
                    texts[number] = edited
                number += 1
        erased.has_mentions = bool(texts)
        if not erased.positions and not texts:
            return False
        rows.seek(0)
        with pq.ParquetFile(rows) as source:
            schema = pa.schema([field.with_nullable(True) for field in source.schema_arrow])
            used = source.metadata.row_group(0).column(0).compression if source.num_row_groups else "SNAPPY"
            compression = "none" if used == "UNCOMPRESSED" else used.lower()
            with pq.ParquetWriter(target, schema, compression=compression) as to:
                first = 1
                for group in range(source.num_row_groups):
                    table = source.read_row_group(group).cast(schema)
                    numbers = range(first, first + table.num_rows)
                    keep = pa.array([number not in erased.positions for number in numbers])
                    columns = [_without(column, keep, numbers, texts, edit) for column in table.columns]
                    to.write_table(pa.table(columns, schema=schema))
                    first += table.num_rows
    return True


def _without(column: Any, keep: Any, numbers: range, texts: Mapping[int, bytes], edit: Edit) -> Any:
    """Return a column with nulls in erased rows, and without mentions in the texts of others."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = pc.if_else(keep, column.combine_chunks(), pa.scalar(None, column.type))
    if not texts or not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return kept
    values = kept.to_pylist()
    for index, number in enumerate(numbers):
        if number in texts and values[index] is not None:
            values[index] = _edited_value(values[index], edit)
    return pa.array(values, column.type)


def _edited_value(value: str, edit: Edit) -> str:
    """Return a text without mentions: as the value of a field, so that no rule for whole events applies."""
    import json

    line, _ = edit(json.dumps({"props": value}, ensure_ascii=False).encode())
    return str(json.loads(line)["props"]) if line else value


def _record(connection: psycopg.Connection, file: LandingFile, before: str, size: int, erased: _Erased) -> None:
    """Update the checksum of the loaded file, and the places of events behind erased ones of their line."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("lock table ops.loads in share row exclusive mode")
        cursor.execute(
            "update ops.loads set checksum = %s, file_version = null, file_bytes = %s,"
            " rules_digest = case when %s then %s else rules_digest end"
            " where file = %s and replaced_by is null and checksum = %s returning load_id",
            [checksum(file), size, erased.has_mentions, _TO_RELOAD, file.name, before],
        )
        found = cursor.fetchone()
        if found is None:
            return
        (load_id,) = found
        for number in sorted(erased.cut):
            for table in ("events", "attribution", "duplicate_events", "rejected_events"):
                cursor.execute(_MOVE_UP.format(table), [erased.positions[number], load_id, number])
                # Twice, since two rows of a line must not have one place in between.
                cursor.execute(_MOVED_UP.format(table), [load_id, number])


_MOVE_UP: Final = """
update raw.{} set line_position = -(line_position - (select count(*) from unnest(%s::integer[]) as gone
    where gone < line_position))
where load_id = %s and line_number = %s
"""
_MOVED_UP: Final = """
update raw.{} set line_position = -line_position where load_id = %s and line_number = %s and line_position < 0
"""
