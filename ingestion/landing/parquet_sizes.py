"""Estimates of the JSON size of Parquet rows without building them.

A dictionary may hold one long text for all rows, and a file of a thousand bytes millions of such rows.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from ingestion.landing.parquet_values import is_text

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

# Limits of rows that become lines at a time, by number and by bytes.
ROWS_AT_ONCE: Final = 512
_BYTES_AT_ONCE: Final = 1_048_576
_SMALL_BYTES: Final = 262_144
# Dictionary texts up to this length, together, may occur in all rows that are read at a time.
SHORT_TEXTS_BYTES: Final = 16_384
# The memory of Arrow for the rows that are read at a time (estimated).
_ARROW_BYTES: Final = 8_388_608
# Bytes of one value in Arrow; of a text its offset, or its index in a dictionary.
_WIDTHS: Final = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 8, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": 8}


def arrow_bytes(metadata: Any, row_group: int, columns: list[int]) -> int:
    """Estimate the bytes of a row group's columns in Arrow from the metadata. Dictionary texts count once."""
    total = 0
    group = metadata.row_group(row_group)
    for index in columns:
        chunk, declared = group.column(index), metadata.schema.column(index)
        width = _WIDTHS.get(chunk.physical_type) or max(1, declared.length)
        total += chunk.total_uncompressed_size + chunk.num_values * width
    return total


def rows_at_once(group_bytes: int, rows: int) -> int:
    """Return the number of rows of a group to read at a time."""
    return max(1, min(ROWS_AT_ONCE, _ARROW_BYTES * max(1, rows) // max(1, group_bytes)))


def dictionary_bytes(metadata: Any, row_group: int, columns: list[int]) -> int:
    """Return an upper bound for the longest dictionary texts of a row group, together, in bytes."""
    chunks = (metadata.row_group(row_group).column(index) for index in columns)
    return sum(
        chunk.total_uncompressed_size
        for chunk in chunks
        if any("DICTIONARY" in encoding for encoding in chunk.encodings)
    )


def longest_in_dictionaries(batch: "pa.RecordBatch") -> int:
    """Return the bytes of the longest text of each dictionary, all together."""
    return sum(map(_longest, batch.columns))


def _longest(array: "pa.Array") -> int:
    import pyarrow as pa
    import pyarrow.types as types

    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _longest(array.storage)
    if types.is_dictionary(kind):
        sizes = sizes_of(array.dictionary)
        return int(sizes.max()) if len(sizes) else 0
    if types.is_struct(kind):
        return sum(_longest(array.field(index)) for index in range(kind.num_fields))
    if types.is_map(kind):
        return _longest(array.keys) + _longest(array.items)
    return _longest(array.values) if types.is_list(kind) or types.is_large_list(kind) else 0


def is_small(batch: "pa.RecordBatch") -> bool:
    """Return True if a batch is small enough to become lines in one step."""
    return batch.nbytes <= _SMALL_BYTES and not any("dictionary" in str(kind) for kind in batch.schema.types)


def slices(sizes: "npt.NDArray[Any]") -> Iterator[tuple[int, int]]:
    """Yield the start and end of rows that become lines together, by the sizes of rows."""
    if sizes.sum() <= _BYTES_AT_ONCE:
        yield 0, len(sizes)
        return
    start = total = 0
    for row, size in enumerate(sizes.tolist()):
        if row > start and total + size > _BYTES_AT_ONCE:
            yield start, row
            start, total = row, 0
        total += size
    if start < len(sizes):
        yield start, len(sizes)


def sizes_of(array: "pa.Array") -> "npt.NDArray[Any]":
    """Return a lower bound for the JSON bytes of each value."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as types

    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return sizes_of(array.storage)
    if types.is_dictionary(kind):
        inner = sizes_of(array.dictionary)
        places = array.indices.fill_null(0).to_numpy(zero_copy_only=False)
        known = inner[places] if len(inner) else np.zeros(len(array), np.int64)
        return np.where(array.is_valid().to_numpy(zero_copy_only=False), known, 0)
    if types.is_fixed_size_binary(kind):
        return np.full(len(array), kind.byte_width, np.int64)
    if is_text(kind):
        held = array.cast(pa.large_binary()) if "view" in str(kind) else array
        lengths = pc.binary_length(held).fill_null(0)
        return np.asarray(lengths.to_numpy(zero_copy_only=False), np.int64)
    if types.is_struct(kind):
        return sum((sizes_of(array.field(i)) for i in range(kind.num_fields)), start=np.full(len(array), 2, np.int64))
    if types.is_fixed_size_list(kind) or types.is_list_view(kind) or types.is_large_list_view(kind):
        return sizes_of(array.cast(pa.large_list(kind.value_type)))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_map(kind):
        parts = (array.keys, array.items) if types.is_map(kind) else (array.values,)
        # Each element has a comma or bracket and at least one byte more.
        inside = sum((sizes_of(part) for part in parts), start=np.full(len(parts[0]), 2, np.int64))
        upto = np.concatenate(([0], np.cumsum(inside)))
        offsets = array.offsets.to_numpy(zero_copy_only=False)
        return np.asarray(upto[offsets[1:]] - upto[offsets[:-1]], np.int64)
    return np.ones(len(array), np.int64)
