"""Conversion of Parquet columns to JSON values.

- A null column, or a null member of a struct, is absent. In lists and maps null stays null.
- `props`, `attribution` and `context` are structs or maps, or text columns that hold their JSON.
- A timestamp with a time zone is an instant; one without is written without an offset, which validation rejects. Digits
  beyond the microsecond are cut off.
- A floating-point number without a fraction is written without one, as JavaScript does: a column of cents becomes
  floating-point as soon as a writer such as pandas finds a null in it.
- A value of a type that JSON does not have makes its row invalid, and the reason names the column.
"""

import json
import math
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ingestion.contract import SECTIONS
from ingestion.landing.objects import is_json

if TYPE_CHECKING:
    import pyarrow as pa

# Up to here a floating-point number is an exact whole number.
_MAX_WHOLE: Final = 2**53
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the offset is added to the text, or left out
_encode: Final = msgspec.json.Encoder().encode

Converter = Callable[["pa.Array"], list[Any]]


class UnreadableParquet(Exception):
    """A file that is no Parquet, is damaged, or uses unsupported features. The message says what to do."""


class Unheld:
    """Placeholder for a value that JSON cannot hold, with the reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def reject_duplicate_columns(names: list[str], where: str) -> None:
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise UnreadableParquet(f"has two columns with the name {where}{twins[0]}: rename one of them")


def column_converter(field: "pa.Field") -> Converter:
    """Return a function that converts an array of a column to a list of JSON values."""
    convert = _converter(field.type, field.name)
    if field.name not in SECTIONS or not is_text(field.type):
        return convert
    return lambda array: [text if text is None else _as_json(text) for text in convert(array)]


def _as_json(text: str | msgspec.Raw) -> str | msgspec.Raw:
    """Return the JSON value inside a text, byte for byte, or the text itself if it is no JSON."""
    if isinstance(text, msgspec.Raw):
        return text
    content = text.encode()
    return msgspec.Raw(content) if is_json(content) else text


def is_text(kind: "pa.DataType") -> bool:
    import pyarrow.types as types

    if types.is_dictionary(kind):
        return is_text(kind.value_type)
    kind = getattr(kind, "storage_type", kind)
    texts = (types.is_string, types.is_large_string, types.is_string_view)
    binaries = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return any(is_kind(kind) for is_kind in texts + binaries)


def _converter(kind: "pa.DataType", name: str) -> Converter:
    """Return a function that converts an array of a type to JSON values, or to Unheld ones."""
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
        # By its shortest text: 0.1 of 32 bits means 0.1, not its value in 64 bits.
        return lambda array: [
            value if value is None else _number_of_text(value) for value in array.cast(pa.string()).to_pylist()
        ]
    if is_text(kind):
        return lambda array: [
            value if value is None else _text(value) for value in array.cast(pa.large_binary()).to_pylist()
        ]
    if types.is_timestamp(kind):
        return _timestamps(kind)
    if types.is_date(kind) or types.is_time(kind):
        return lambda array: [value if value is None else f"{value}" for value in array.cast(pa.string()).to_pylist()]
    if types.is_struct(kind):
        return _structs(kind, name)
    if types.is_map(kind):
        return _maps(kind, name)
    if types.is_list(kind) or types.is_large_list(kind):
        return _lists(kind, name)
    if types.is_fixed_size_list(kind) or types.is_list_view(kind) or types.is_large_list_view(kind):
        as_lists = pa.large_list(kind.value_type)
        inside = _lists(as_lists, name)
        return lambda array: inside(array.cast(as_lists))
    return _unheld(f"{name}: of the Parquet type {kind}, which JSON has not")


def _unheld(reason: str) -> Converter:
    value = Unheld(reason)
    return lambda array: [value if is_there else None for is_there in array.is_valid().to_pylist()]


def _number(value: float) -> int | float | msgspec.Raw:
    if value.is_integer() and abs(value) <= _MAX_WHOLE:
        return int(value)
    # NaN and Infinity stay invalid, as in a line. The encoder would write null, and the row would be valid.
    return value if math.isfinite(value) else msgspec.Raw(json.dumps(value).encode())


def _number_of_text(text: str) -> int | float | msgspec.Raw:
    return int(text) if text.lstrip("-").isdigit() else _number(float(text))


def _text(value: bytes) -> str | msgspec.Raw:
    try:
        return value.decode()
    except UnicodeDecodeError:
        # Parquet does not check its texts. The line keeps the wrong bytes, and is rejected for them.
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
            return f"{value} {kind.unit} since 1970"  # not a valid time, so that validation rejects it

    return lambda array: [value if value is None else text(value) for value in array.cast(pa.int64()).to_pylist()]


def _structs(kind: "pa.StructType", name: str) -> Converter:
    members = [kind.field(index) for index in range(kind.num_fields)]
    names = [member.name for member in members]
    reject_duplicate_columns(names, f"{name}.")
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
        start, length = span(array)
        return _cut(array, inside(array.values.slice(start, length)))

    return convert


def _maps(kind: "pa.MapType", name: str) -> Converter:
    if not is_text(kind.key_type):
        return _unheld(f"{name}: a map whose keys are no texts, which JSON has not")
    keys, items = _converter(kind.key_type, name), _converter(kind.item_type, name)

    def convert(array: "pa.MapArray") -> list[Any]:
        start, length = span(array)
        pairs = zip(keys(array.keys.slice(start, length)), items(array.items.slice(start, length)), strict=True)
        return [None if row is None else _object(row) for row in _cut(array, list(pairs))]

    return convert


def span(array: "pa.ListArray") -> tuple[int, int]:
    """Return the first index and the number of a list or map array's elements among its values."""
    start = array.offsets[0].as_py() if len(array) else 0
    return start, array.offsets[len(array)].as_py() - start if len(array) else 0


def _object(pairs: list[tuple[Any, Any]]) -> Any:
    if len({key for key, _ in pairs if isinstance(key, str)}) == len(pairs):
        return dict(pairs)
    unheld = next((value for _, value in pairs if isinstance(value, Unheld)), None)
    if unheld is not None:
        return unheld
    # Duplicate keys, or keys that are no UTF-8, stay in the line: validation rejects them.
    return msgspec.Raw(b"{" + b",".join(_encode(key) + b":" + _encode(value) for key, value in pairs) + b"}")


def _cut(array: "pa.ListArray", values: list[Any]) -> list[Any]:
    """Split the values of all rows of a list or map by row."""
    offsets = array.offsets.to_pylist()
    first = offsets[0] if offsets else 0
    return [
        values[start - first : end - first] if is_there else None
        for is_there, start, end in zip(array.is_valid().to_pylist(), offsets, offsets[1:], strict=False)
    ]
