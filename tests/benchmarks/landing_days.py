"""Landing files and application tables of the benchmarks that run the whole chain: traffic of the sample marketplace.

A large marketplace is put together from several of the sample's, each with its own seed and its own ids. Assets,
creators, brands and purchases thus grow with the traffic.
"""

import gzip
import hashlib
import shutil
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from sample_data import DEFAULT_SEED, FILES_PER_DAY, VERSION
from sample_data.advertising import ad_spend_of
from sample_data.application_rows import DAY_MS, Row
from sample_data.catalog import Catalog
from sample_data.simulated_tracker import Sent
from sample_data.traffic import Traffic
from sample_data.visitors import CAMPAIGNS
from warehouse.connection import CHECKOUT
from warehouse.window import ONE_DAY, Window

# Four times the sample's own volume: 16 licenses, 330 assets and 40 creators for so many lines on the largest day.
_LINES_A_MARKETPLACE: Final = 40_000
# More than a marketplace adds to the rows of any table in a year.
_IDS_A_MARKETPLACE: Final = 1_000_000
_PROCESSES: Final = 2
# As the sample is written.
_COMPRESSION: Final = 1
_KEPT: Final = CHECKOUT / "build" / "bench"


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a benchmark, with the least number of lines of each; a few per cent of them arrive days later."""

    start: date
    lines: tuple[int, ...]

    @property
    def window(self) -> Window:
        """Return all of the days."""
        return Window(self.start, self.start + len(self.lines) * ONE_DAY)

    @property
    def marketplaces(self) -> int:
        """Return how many of the sample's marketplaces make up this one."""
        return max(_PROCESSES, max(self.lines) // _LINES_A_MARKETPLACE)

    def write_landing(self) -> Path:
        """Write the landing folder, unless an earlier benchmark has left it in build/bench; returns it."""
        name = hashlib.sha256(repr((VERSION, self)).encode()).hexdigest()[:12]
        folder, draft = _KEPT / f"landing-{name}", _KEPT / f"landing-{name}.new"
        if folder.exists():
            return folder
        shutil.rmtree(draft, ignore_errors=True)
        with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
            # Raises what a process has raised.
            list(pool.map(self.write_part, [draft] * _PROCESSES, range(_PROCESSES)))
        for day in self.window.days():
            spend_name, spend = ad_spend_of(DEFAULT_SEED, day, CAMPAIGNS)
            path = draft / spend_name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(spend)
        draft.rename(folder)
        return folder

    def write_part(self, root: Path, part: int) -> None:
        """Write the files of every marketplace whose number leaves this remainder; each day has four of them."""
        numbers = range(part, self.marketplaces, _PROCESSES)
        catalogs = [self._catalog(number) for number in numbers]
        traffics = [
            Traffic(DEFAULT_SEED + number, self.start, catalog, 1)
            for number, catalog in zip(numbers, catalogs, strict=True)
        ]
        arriving: dict[int, list[Sent]] = defaultdict(list)
        for number, day in enumerate(self.window.days()):
            lines = self.lines[number] // self.marketplaces
            for catalog, traffic in zip(catalogs, traffics, strict=True):
                for sent in traffic.day(catalog.advance(), lines):
                    arriving[sent.received_at // DAY_MS].append(sent)
            arrived = sorted(arriving.pop(number), key=lambda sent: sent.received_at)
            folder = root / "events" / f"dt={day}"
            folder.mkdir(parents=True, exist_ok=True)
            for quarter, content in enumerate(_quarters(arrived)):
                packed = gzip.compress(content, _COMPRESSION, mtime=0)
                (folder / f"part-{part}{quarter}.ndjson.gz").write_bytes(packed)

    def application_tables(self) -> dict[str, list[Row]]:
        """Return the rows of the application at the end of the last day, by table."""
        tables: dict[str, list[Row]] = defaultdict(list)
        for number in range(self.marketplaces):
            catalog = self._catalog(number)
            for _ in self.lines:
                catalog.advance()
            for name, rows in catalog.tables.items():
                tables[name] += rows
        return tables

    def _catalog(self, number: int) -> Catalog:
        return Catalog(DEFAULT_SEED + number, self.start, first_number=number * _IDS_A_MARKETPLACE + 1)


def _quarters(arrived: Sequence[Sent]) -> list[bytes]:
    quarters: list[list[bytes]] = [[] for _ in range(FILES_PER_DAY)]
    for sent in arrived:
        quarters[sent.received_at % DAY_MS * FILES_PER_DAY // DAY_MS].append(sent.line)
    return [b"".join(line + b"\n" for line in lines) for lines in quarters]
