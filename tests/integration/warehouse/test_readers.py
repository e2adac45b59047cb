"""Readers during publications: every statement and repeatable-read transaction sees all marts of one run."""

import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import psycopg
import pytest

from publishing.marts import Mart
from tests.support.handmade_marts import DAY, build, column, mart, publish_by_hand, view
from warehouse.connection import Warehouse

POLL_SECONDS = 0.05
BETWEEN_STATEMENTS_SECONDS = 0.01
# Whose rows say which run they are of.
MARTS = [
    mart("earnings", column("creator_id"), column("run"), portals={"creator": "creator_id"}),
    mart("totals", column("run")),
    mart("views", column("run")),
    # Changes its columns with those of the table below it.
    view("earnings_by_day", column("creator_id"), column("run"), portals={"creator": "creator_id"}),
]
READS = {made.name: f"select distinct run from marts.{made.name}" for made in MARTS} | {
    "data_freshness": "select distinct run_id from marts.data_freshness"
}


class Reader(threading.Thread):
    """Polls all marts; `seen` are the runs, `wrong` what must never be."""

    def __init__(self, dsn: str, *, in_transactions: bool, seed: int) -> None:
        super().__init__()
        self.dsn, self.in_transactions, self.random = dsn, in_transactions, Random(seed)  # noqa: S311
        self.ends = threading.Event()
        self.seen: set[str] = set()
        self.wrong: list[str] = []

    def run(self) -> None:
        try:
            with psycopg.connect(self.dsn, autocommit=True) as connection:
                while not self.ends.wait(POLL_SECONDS):
                    self.look(dict(self.read(connection)))
        except psycopg.Error as error:
            self.wrong.append(repr(error))

    def read(self, connection: psycopg.Connection) -> Iterator[tuple[str, list[str]]]:
        # In any order, so that a publication may wait for a mart while the reader wants another.
        names = self.random.sample(list(READS), len(READS))
        if self.in_transactions:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with connection.transaction():
                for name in names:
                    yield name, [run for (run,) in connection.execute(READS[name])]
                    self.ends.wait(BETWEEN_STATEMENTS_SECONDS)
        else:
            parts = " union all ".join(f"select '{name}', array({READS[name]})" for name in names)
            yield from connection.execute(parts).fetchall()

    def look(self, runs: dict[str, list[str]]) -> None:
        if {len(found) for found in runs.values()} != {1} or len(set(map(tuple, runs.values()))) != 1:
            self.wrong.append(str(runs))
        self.seen.update(*runs.values())


def with_column(data_type: str | None) -> list[Mart]:
    """The marts, with a further column of a type, or without it."""
    further = () if data_type is None else (column("further", data_type),)
    return [replace(made, columns=(*made.columns, *further)) for made in MARTS]


def publish(warehouse: Warehouse, marts: list[Mart], run_id: str, *, breaks: bool = False) -> None:
    row = {"creator_id": "c1", "run": run_id}
    rows = {
        made: f"select {', '.join(c.name for c in made.columns)} from build.earnings"
        if made.is_view
        else [tuple(row.get(c.name) for c in made.columns[1:])]
        for made in marts
    }
    with warehouse.connect(autocommit=True) as owner:
        build(owner, rows, [DAY])
        if breaks:
            # The last table: the others have been replaced by then.
            owner.execute("drop table build.views")
    publish_by_hand(warehouse, marts, run_id=run_id)


def test_readers_see_one_run_everywhere_at_every_moment(warehouse: Warehouse) -> None:
    publish(warehouse, MARTS, "run 0")
    readers = [
        Reader(warehouse.bi_dsn, in_transactions=in_transactions, seed=seed)
        for seed, in_transactions in enumerate((False, True, True))
    ]
    for reader in readers:
        reader.start()
    published = {"run 0"}
    try:
        # New columns, columns of another type, columns that go: as rebuilds make them.
        for number, data_type in enumerate(
            itertools.islice(itertools.cycle([None, None, "text", "bigint"]), 8), start=1
        ):
            publish(warehouse, with_column(data_type), f"run {number}")
            published.add(f"run {number}")
            with pytest.raises(psycopg.errors.UndefinedTable):
                publish(warehouse, with_column("numeric"), f"broken run {number}", breaks=True)
    finally:
        for reader in readers:
            reader.ends.set()
        for reader in readers:
            reader.join()
    assert [reader.wrong for reader in readers] == [[], [], []]
    for reader in readers:
        assert reader.seen <= published
        assert len(reader.seen) > 2, "they read while it was published"
