"""Parquet files as lines: a row becomes the JSON line that a tracker would have sent, so that one validator is enough.

Columns become values in parquet_values.py. Only columns of fields are read, in camelCase or snake_case. Memory is
bounded by bytes, not by rows: a dictionary can hold one long text for millions of rows.
"""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from ingestion.contract import MAX_LINE_BYTES, Event
from ingestion.landing.limits import DEFAULT_LIMITS, Limits
from ingestion.landing.lines import Line, Unholdable
from ingestion.landing.objects import HEAD_BYTES, Oversized
from ingestion.landing.parquet_sizes import (
    SHORT_TEXTS_BYTES,
    arrow_bytes,
    dictionary_bytes,
    is_small,
    longest_in_dictionaries,
    rows_at_once,
    sizes_of,
    slices,
)
from ingestion.landing.parquet_values import (
    Converter,
    Unheld,
    UnreadableParquet,
    column_converter,
    reject_duplicate_columns,
)
from ingestion.validation.consent import DECLINING_KEYS

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

# Pages are read in pieces of this size. A column of a row group can have gigabytes.
_BUFFER_BYTES: Final = 262_144
# Consent counts in any of its columns, also beside the fields.
FIELDS: Final = frozenset((*Event.__struct_encode_fields__, *Event.__struct_fields__, *DECLINING_KEYS))
_CONSENT: Final = frozenset((*DECLINING_KEYS, "source", "context"))
_WRITE_AGAIN: Final = "have it written again, whole, and rerun the landing day"
_UNSUPPORTED: Final = ("not supported", "Unsupported", "not built", "NotImplemented")


def rows_as_lines(stored: BinaryIO, limits: Limits = DEFAULT_LIMITS) -> Iterator[list[Line]]:
    """Yield the lines of a seekable Parquet file, one a row, in order, some at a time. Raises UnreadableParquet."""
    batches = _lines(stored, limits)
    while lines := next(batches, None):
        yield lines


def _lines(stored: BinaryIO, limits: Limits) -> Iterator[list[Line]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(stored, **_OPTIONS) as file:
            metadata = file.metadata
            paths = [metadata.schema.column(index).path for index in range(metadata.num_columns)]
            names = [name for name in file.schema_arrow.names if name in FIELDS]
            reject_duplicate_columns(names, "")
            leaves = [index for index, path in enumerate(paths) if path.partition(".")[0] in FIELDS]
            _reject_bomb(stored, sum(arrow_bytes(metadata, n, leaves) for n in range(metadata.num_row_groups)), limits)
            texts = [index for index in leaves if metadata.schema.column(index).physical_type == "BYTE_ARRAY"]
            with pq.ParquetFile(stored, read_dictionary=[paths[index] for index in texts], **_OPTIONS) as sparing:
                for group in range(metadata.num_row_groups):
                    rows = rows_at_once(arrow_bytes(metadata, group, leaves), metadata.row_group(group).num_rows)
                    chosen: dict[str, Any] = {"row_groups": [group], "columns": names, "use_threads": False}
                    # Reading by dictionaries takes twice the time, and saves memory only for long texts.
                    is_long = dictionary_bytes(metadata, group, texts) > SHORT_TEXTS_BYTES and any(
                        longest_in_dictionaries(first) > SHORT_TEXTS_BYTES
                        for first in islice(sparing.iter_batches(1, **chosen), 1)
                    )
                    for batch in (sparing if is_long else file).iter_batches(rows, **chosen):
                        yield from _batch_lines(batch)
    except MemoryError as error:
        raise UnreadableParquet(
            f"has pages that need more memory than there is ({error}): write it with smaller pages and row groups"
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise UnreadableParquet(_problem_of(error)) from error


_OPTIONS: Final[dict[str, Any]] = {
    "buffer_size": _BUFFER_BYTES,
    "pre_buffer": False,
    "page_checksum_verification": True,
    "arrow_extensions_enabled": True,
}


def _reject_bomb(stored: BinaryIO, unpacked: int, limits: Limits) -> None:
    size = stored.seek(0, 2)
    stored.seek(0)
    if not limits.allow(unpacked=unpacked, stored=size):
        raise UnreadableParquet(
            f"unpacks to more than {limits.max_expansion} times its size ({unpacked:,} bytes of {size:,}), as no log"
            " of events does: have it written again, or raise WAREHOUSE_MAX_EXPANSION if it is meant"
        )


def _problem_of(error: Exception) -> str:
    text = str(error).partition("\n")[0]
    if "crypt" in text.lower():
        return f"is encrypted, which is not supported ({text}): write it without encryption"
    if any(word in f"{type(error).__name__} {text}" for word in _UNSUPPORTED):
        return f"uses what is not supported ({text}): write it with another compression, encoding or type"
    return f"is no Parquet file that can be read, or a damaged or truncated one ({text}): {_WRITE_AGAIN}"


def _batch_lines(batch: "pa.RecordBatch") -> Iterator[list[Line]]:
    columns = [
        (name, column, column_converter(field))
        for name, field, column in zip(batch.schema.names, batch.schema, batch.columns, strict=True)
        if name in FIELDS
    ]
    sizes = None if is_small(batch) else _row_sizes(batch, [column for _, column, _ in columns])
    for start, end in [(0, batch.num_rows)] if sizes is None else slices(sizes):
        if sizes is not None and end - start == 1 and sizes[start] > MAX_LINE_BYTES:
            yield [Oversized(_head(columns, start), int(sizes[start]))]
            continue
        made = [(name, convert(column.slice(start, end - start))) for name, column, convert in columns]
        names = [name for name, _ in made]
        rows = zip(*(values for _, values in made), strict=True) if made else [()] * (end - start)
        yield _encoded(
            [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]
        )


def _row_sizes(batch: "pa.RecordBatch", columns: "list[pa.Array]") -> "npt.NDArray[Any]":
    import numpy as np

    return sum(map(sizes_of, columns), start=np.zeros(batch.num_rows, np.int64))


def _encoded(rows: list[dict[str, Any]]) -> list[Line]:
    encode = _ENCODER.encode
    try:
        return [encode(row) for row in rows]
    except _Flaw:
        return [_line(row) for row in rows]


def _line(row: dict[str, Any]) -> Line:
    try:
        return _ENCODER.encode(row)
    except _Flaw:
        reasons: list[str] = []

        def leave_out(value: Any) -> None:
            if not isinstance(value, Unheld):
                raise TypeError(value)
            reasons.append(value.reason)

        return Unholdable(msgspec.json.Encoder(enc_hook=leave_out).encode(row), tuple(dict.fromkeys(reasons)))


class _Flaw(Exception):
    """A row has a value that JSON cannot hold."""


def _flaw(_: Any) -> Any:
    raise _Flaw


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_flaw)


def _head(columns: "list[tuple[str, pa.Array, Converter]]", row: int) -> bytes:
    """Return the head of an oversized row: its short columns, those for consent first."""
    short: dict[str, Any] = {}
    for name, column, convert in sorted(columns, key=lambda named: named[0] not in _CONSENT):
        value = column.slice(row, 1)
        if sizes_of(value)[0] <= HEAD_BYTES:
            [short[name]] = convert(value)
    line = _line({name: value for name, value in short.items() if value is not None})
    return (line if isinstance(line, bytes) else line.head)[:HEAD_BYTES]
