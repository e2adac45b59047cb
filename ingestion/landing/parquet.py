"""Parquet files as lines: every row becomes the JSON line that a tracker would have sent for it, so that one set of
rules judges both.

- A null column, or a null member of a struct, is absent. In lists and maps null stays null.
- `props`, `attribution` and `context` are structs or maps, or text columns that hold their JSON.
- A timestamp with a time zone is an instant; one without is written without an offset, which the rules refuse. Digits
  beyond the microsecond are cut off.
- A floating-point number without a fraction is written without one, as JavaScript does: a column of cents becomes
  floating-point as soon as a writer such as pandas finds a null in it.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from ingestion.contract import SECTIONS

if TYPE_CHECKING:
    import pyarrow as pa

# Rows that are held as Python objects at a time.
_BATCH_ROWS: Final = 512
# Pages are read in pieces of this size instead of whole columns of a row group, which can have gigabytes.
_BUFFER_BYTES: Final = 262_144
# Up to here a floating-point number says exactly which whole number it is.
_MAX_WHOLE: Final = 2**53
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the offset is written beside it, or left out
_encode: Final = msgspec.json.Encoder().encode

Converter = Callable[["pa.Array"], list[Any]]


class UnreadableParquet(Exception):
    """A file that is no Parquet, is damaged, or holds what no event can be made of."""


def rows_as_lines(stored: BinaryIO) -> Iterator[bytes]:
    """The JSON lines of a seekable Parquet file, one a row, in order. Raises UnreadableParquet."""
    batches = _batches(stored)
    while lines := next(batches, None):
        yield from lines


def _batches(stored: BinaryIO) -> Iterator[list[bytes]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(
            stored,
            buffer_size=_BUFFER_BYTES,
            pre_buffer=False,
            page_checksum_verification=True,
            arrow_extensions_enabled=True,
        ) as file:
            schema = file.schema_arrow
            _refuse_twins(schema.names, "")
            converters = [_column(field) for field in schema]
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
                columns = [convert(column) for convert, column in zip(converters, batch.columns, strict=True)]
                rows = zip(*columns, strict=True) if columns else [()] * batch.num_rows
                if lines := [
                    _encode({name: value for name, value in zip(schema.names, row, strict=True) if value is not None})
                    for row in rows
                ]:
                    yield lines
    except (pa.ArrowException, OSError) as error:
        raise UnreadableParquet(str(error).partition("\n")[0]) from error


def _refuse_twins(names: list[str], where: str) -> None:
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise UnreadableParquet(f"two columns have the name {where}{twins[0]}")


def _column(field: "pa.Field") -> Converter:
    convert = _converter(field.type, field.name)
    if field.name not in SECTIONS or not _is_text(field.type):
        return convert
    return lambda array: [text if text is None else _as_json(text) for text in convert(array)]


def _as_json(text: str | msgspec.Raw) -> str | msgspec.Raw:
    """The JSON value that a text holds, spelled as it is there; the text itself when it holds none."""
    if isinstance(text, msgspec.Raw):
        return text
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        try:
            # Lone surrogates and numbers out of range, which have reasons of their own.
            json.loads(text, parse_int=str)
        except (ValueError, RecursionError):
            return text
    return msgspec.Raw(text.encode())


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow.types as types

    if types.is_dictionary(kind):
        return _is_text(kind.value_type)
    kind = getattr(kind, "storage_type", kind)
    return any(is_kind(kind) for is_kind in (types.is_string, types.is_large_string, types.is_string_view)) or (
        _is_bytes(kind)
    )


def _is_bytes(kind: "pa.DataType") -> bool:
    import pyarrow.types as types

    return any(
        is_kind(kind)
        for is_kind in (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    )


def _converter(kind: "pa.DataType", name: str) -> Converter:
    """What makes a list of JSON values of an array of this type. Raises UnreadableParquet for types JSON has not."""
    import pyarrow as pa
    import pyarrow.types as types

    if isinstance(kind, pa.UuidType):
        return lambda array: [None if value is None else str(value) for value in array.to_pylist()]
    if isinstance(kind, pa.BaseExtensionType):
        inside = _converter(kind.storage_type, name)
        return lambda array: inside(array.storage)
    if types.is_dictionary(kind):
        inside = _converter(kind.value_type, name)
        return lambda array: inside(array.dictionary_decode())
    if types.is_null(kind) or types.is_boolean(kind) or types.is_integer(kind):
        return lambda array: array.to_pylist()
    if types.is_float64(kind):
        return lambda array: [value if value is None else _number(value) for value in array.to_pylist()]
    if types.is_floating(kind) or types.is_decimal(kind):
        # By way of its shortest text: 0.1 of 32 bits is meant as 0.1, not as what it is in 64 bits.
        return lambda array: [
            value if value is None else _number_of_text(value) for value in array.cast(pa.string()).to_pylist()
        ]
    if _is_text(kind):
        return lambda array: [
            value if value is None else _text(value) for value in array.cast(pa.large_binary()).to_pylist()
        ]
    if types.is_timestamp(kind):
        return _timestamps(kind)
    if types.is_date(kind):
        return lambda array: [value if value is None else f"{value}" for value in array.cast(pa.string()).to_pylist()]
    if types.is_struct(kind):
        return _structs(kind, name)
    if types.is_map(kind):
        return _maps(kind, name)
    if types.is_list(kind) or types.is_large_list(kind):
        return _lists(kind, name)
    raise UnreadableParquet(f"column {name} is of type {kind}, which has no counterpart in JSON")


def _number(value: float) -> int | float | msgspec.Raw:
    if value.is_integer() and abs(value) <= _MAX_WHOLE:
        return int(value)
    # Spelled out they are no JSON, as in a line; the encoder would make null of them, and the row an event.
    return value if math.isfinite(value) else msgspec.Raw(json.dumps(value).encode())


def _number_of_text(text: str) -> int | float | msgspec.Raw:
    return int(text) if text.lstrip("-").isdigit() else _number(float(text))


def _text(value: bytes) -> str | msgspec.Raw:
    try:
        return value.decode()
    except UnicodeDecodeError:
        # Parquet does not look at its texts. The line keeps the wrong bytes, and is refused for them.
        quoted = json.dumps(value.decode("utf-8", "surrogateescape"), ensure_ascii=False)
        return msgspec.Raw(quoted.encode("utf-8", "surrogateescape"))


def _timestamps(kind: "pa.TimestampType") -> Converter:
    import pyarrow as pa

    offset = "+00:00" if kind.tz else ""
    units_a_second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[kind.unit]

    def text(value: int) -> str:
        try:
            return (_EPOCH + timedelta(microseconds=value * 1_000_000 // units_a_second)).isoformat() + offset
        except OverflowError:
            return f"{value} {kind.unit} since 1970"  # no time that the rules know

    return lambda array: [value if value is None else text(value) for value in array.cast(pa.int64()).to_pylist()]


def _structs(kind: "pa.StructType", name: str) -> Converter:
    members = [kind.field(index) for index in range(kind.num_fields)]
    names = [member.name for member in members]
    _refuse_twins(names, f"{name}.")
    converters = [_converter(member.type, f"{name}.{member.name}") for member in members]

    def convert(array: "pa.StructArray") -> list[Any]:
        columns = [inside(array.field(index)) for index, inside in enumerate(converters)]
        rows = zip(*columns, strict=True) if columns else [()] * len(array)
        return [
            {name: value for name, value in zip(names, row, strict=True) if value is not None} if is_there else None
            for is_there, row in zip(array.is_valid().to_pylist(), rows, strict=True)
        ]

    return convert


def _lists(kind: "pa.ListType", name: str) -> Converter:
    inside = _converter(kind.value_type, name)

    def convert(array: "pa.ListArray") -> list[Any]:
        return _cut(array, inside(array.values))

    return convert


def _maps(kind: "pa.MapType", name: str) -> Converter:
    if not _is_text(kind.key_type):
        raise UnreadableParquet(f"column {name} is a map whose keys are no texts")
    keys, items = _converter(kind.key_type, name), _converter(kind.item_type, name)

    def convert(array: "pa.MapArray") -> list[Any]:
        pairs = list(zip(keys(array.keys), items(array.items), strict=True))
        return [None if row is None else _object(row) for row in _cut(array, pairs)]

    return convert


def _object(pairs: list[tuple[Any, Any]]) -> Any:
    if len({key for key, _ in pairs if isinstance(key, str)}) == len(pairs):
        return dict(pairs)
    # A key that comes twice, or is no UTF-8: for the rules to refuse.
    return msgspec.Raw(b"{" + b",".join(_encode(key) + b":" + _encode(value) for key, value in pairs) + b"}")


def _cut(array: "pa.ListArray", values: list[Any]) -> list[Any]:
    """The rows of a list or map, of the values of all its rows."""
    offsets = array.offsets.to_pylist()
    return [
        values[start:end] if is_there else None
        for is_there, start, end in zip(array.is_valid().to_pylist(), offsets, offsets[1:], strict=False)
    ]
