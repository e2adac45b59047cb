"""Writer of exported events as CSV or Parquet. The file appears when it is complete, readable for its owner only."""

import contextlib
import csv
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ingestion.raw_access.export_redaction import COLUMNS
from ingestion.raw_access.export_selection import ExportError
from warehouse.atomic_file import atomic_writer

Write = Callable[[list[dict[str, Any]]], None]
# Spreadsheets read texts that begin like this as formulas. Ids stay unchanged, since they must equal the ids of other
# tables: those of some databases begin with a minus sign.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_IDS: Final = frozenset(name for name, _ in COLUMNS if name.endswith("_id")) | {"event_key"}


@contextmanager
def open_writer(path: Path) -> Generator[Write]:
    """Open a file in the format of its suffix, and yield a function that writes batches of events.

    A block that fails leaves no file. Raises ExportError when the folder cannot be written.
    """
    with contextlib.ExitStack() as opened:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = opened.enter_context(atomic_writer(path))
        except OSError as error:
            raise ExportError(
                f"{path.parent} cannot be written: {error.strerror}; WAREHOUSE_EXPORTS names it"
            ) from error
        with _FORMATS[path.suffix](draft.file) as write:
            yield write


@contextmanager
def _csv(file: Any) -> Generator[Write]:
    import io

    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow([name for name, _ in COLUMNS])

    def write(events: list[dict[str, Any]]) -> None:
        writer.writerows([[_cell(value, is_id=name in _IDS) for name, value in event.items()] for event in events])

    yield write
    text.flush()
    text.detach()


def _cell(value: Any, *, is_id: bool) -> Any:
    match value:
        case str() if not is_id:
            return f"'{value}" if value.startswith(_FORMULA) else value
        case dict():
            return _json(value)
        case datetime():
            return value.isoformat()
        case bool():
            return str(value).lower()
    return value


@contextmanager
def _parquet(file: Any) -> Generator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "date": pa.date32(),
        "timestamptz": pa.timestamp("us", tz="UTC"),
        "bigint": pa.int64(),
        "boolean": pa.bool_(),
        "numeric(20, 3)": pa.decimal128(20, 3),
    }
    # UUIDs and props become texts.
    fields = [pa.field(name, types.get(data_type, pa.string())) for name, data_type in COLUMNS]
    schema = pa.schema(fields)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:

        def write(events: list[dict[str, Any]]) -> None:
            arrays = [
                pa.array([_text(event[field.name], field.type == pa.string()) for event in events], field.type)
                for field in fields
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))

        yield write


def _text(value: Any, is_text: bool) -> Any:
    if not is_text or value is None or isinstance(value, str):
        return value
    return _json(value) if isinstance(value, dict) else str(value)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


_FORMATS: Final = {".csv": _csv, ".parquet": _parquet}
