"""The ways of loading that the ingestion benchmark compares, each run as a process of its own:
`python -m tests.benchmarks.ingest_paths NAME URL LANDING ROWS`. The loader reads the landing files and does all it
does; every other path is given the rows that came of it, already validated and prepared, and only stores them.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import psycopg

from ingestion import day_partitions
from ingestion.loading.landing_day import load_window
from tests.benchmarks.ingest_events import LANDING_DATE, START_DATE
from tests.benchmarks.ingest_rows import TABLES, column_types, event_days, read_rows, run_timed
from warehouse.window import Window

_CHUNK_BYTES: Final = 262_144
_PANDAS_CHUNK_ROWS: Final = 10_000


def load(url: str, landing: Path, _rows: Path) -> None:
    """The loader of this project."""
    with psycopg.connect(url) as connection:
        load_window(connection, root=landing, window=Window.day(LANDING_DATE), start_date=START_DATE)


def copy(kind: str, url: str, _landing: Path, rows: Path) -> None:
    """COPY of files in a format that Postgres reads: `csv` or `binary`."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        _prepare(cursor, rows)
        for table in TABLES:
            with (
                (rows / f"{table}.{kind}").open("rb") as file,
                cursor.copy(f"copy raw.{table} from stdin (format {kind})") as sent,
            ):
                while piece := file.read(_CHUNK_BYTES):
                    sent.write(piece)


def executemany(url: str, _landing: Path, rows: Path) -> None:
    """Psycopg's executemany, which sends its statements in a pipeline."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        _prepare(cursor, rows)
        for table in TABLES:
            values = ", ".join(["%s"] * len(column_types(rows, table)))
            cursor.executemany(f"insert into raw.{table} values ({values})", read_rows(rows, table))


def to_sql(url: str, _landing: Path, rows: Path) -> None:
    """DataFrame.to_sql with its defaults, in chunks so that the memory holds them."""
    import pandas as pd
    import sqlalchemy

    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        _prepare(cursor, rows)
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
    with engine.begin() as connection_of_pandas:
        connection_of_pandas.execute(sqlalchemy.text("set local synchronous_commit = on"))
        for table in TABLES:
            chunks = pd.read_csv(
                rows / f"{table}.csv",
                names=list(column_types(rows, table)),
                dtype=object,
                chunksize=_PANDAS_CHUNK_ROWS,
                keep_default_na=False,
                na_values=[""],
            )
            for frame in chunks:
                frame.to_sql(table, connection_of_pandas, schema="raw", if_exists="append", index=False)


def _prepare(cursor: psycopg.Cursor, rows: Path) -> None:
    cursor.execute("set synchronous_commit = on")
    day_partitions.create(cursor, event_days(rows))


PATHS: Final[dict[str, Callable[[str, Path, Path], None]]] = {
    "load": load,
    "copy_csv": partial(copy, "csv"),
    "copy_binary": partial(copy, "binary"),
    "executemany": executemany,
    "to_sql": to_sql,
}

if __name__ == "__main__":
    name, url, landing, rows = sys.argv[1:]
    run_timed(lambda: PATHS[name](url, Path(landing), Path(rows)))
