"""dlt in the ingestion benchmark, with its defaults: `python -m tests.benchmarks.ingest_dlt URL ROWS SCRATCH`, in an
environment of its own (requirements-bench.lock). It makes tables of its own in schema `bench_dlt`.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.ingest_rows import TABLES, column_types, read_rows, run_timed

DATASET: Final = "bench_dlt"
# How dlt calls a type, and the value as a reader of JSON would have it.
_TYPES: Final[dict[str, tuple[dict[str, Any], Callable[[str], Any]]]] = {
    "date": ({"data_type": "date"}, str),
    "timestamp with time zone": ({"data_type": "timestamp"}, str),
    "bigint": ({"data_type": "bigint"}, int),
    "numeric(20,3)": ({"data_type": "decimal", "precision": 20, "scale": 3}, str),
    "jsonb": ({"data_type": "json"}, json.loads),
    "boolean": ({"data_type": "bool"}, "t".__eq__),
}
_TEXT: Final[tuple[dict[str, Any], Callable[[str], Any]]] = ({"data_type": "text"}, str)


def load(url: str, rows: Path, scratch: Path) -> None:
    """Extract, normalize and load every table."""
    # mypy looks at this file without the environment that it runs in.
    import dlt  # type: ignore[import-not-found, unused-ignore]

    pipeline = dlt.pipeline(
        "bench_ingest",
        destination=dlt.destinations.postgres(url),
        dataset_name=DATASET,
        pipelines_dir=str(scratch),
    )
    resources = []
    for table in TABLES:
        types = {name: _TYPES.get(kind, _TEXT) for name, kind in column_types(rows, table).items()}
        resources.append(
            dlt.resource(
                _documents(rows, table, types),
                name=table,
                write_disposition="append",
                # Copies, since dlt writes the name of the column into them.
                columns={name: dict(hints) for name, (hints, _) in types.items()},
            )
        )
    pipeline.run(resources)


def _documents(rows: Path, table: str, types: dict[str, Any]) -> Iterator[dict[str, Any]]:
    columns = [(name, read) for name, (_, read) in types.items()]
    for row in read_rows(rows, table):
        yield {name: None if value is None else read(value) for (name, read), value in zip(columns, row, strict=True)}


if __name__ == "__main__":
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    url, rows, scratch = sys.argv[1:]
    run_timed(lambda: load(url, Path(rows), Path(scratch)))
