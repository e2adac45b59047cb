"""The sample marketplace: landing files and application tables that look like the real thing, dirt included.

`Marketplace` is deterministic: the same seed, start and volume give the same bytes for a landing day, however many
days are asked for. What the warehouse must make of every line is counted along, so that a load can be judged.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sample_data.application_rows import DAY_MS, MAIL_DOMAIN, PASSWORD_MARK, Row
from sample_data.catalog import Catalog
from sample_data.simulated_tracker import Outcome, Sent
from sample_data.traffic import Traffic

__all__ = [
    "DEFAULT_EVENTS_PER_DAY",
    "DEFAULT_SEED",
    "DEFAULT_START",
    "MAIL_DOMAIN",
    "PASSWORD_MARK",
    "LandingDay",
    "Marketplace",
    "Outcome",
]

# Raised with every change of what is generated, so that older files are replaced.
VERSION: Final = 3
DEFAULT_SEED: Final = 20_261_001
DEFAULT_START: Final = date(2026, 10, 1)
# Of the quietest day, so that more than 10,000 of its events are accepted.
DEFAULT_EVENTS_PER_DAY: Final = 10_800
FILES_PER_DAY: Final = 4


@dataclass(frozen=True, slots=True)
class LandingDay:
    """The lines that arrive on one UTC day, as the files they arrive in, and what becomes of them."""

    day: date
    files: tuple[tuple[bytes, ...], ...]
    outcomes: Mapping[Outcome, int]


class Marketplace:
    """`days` days of a marketplace from `start` on, with at least `events_per_day` lines a day.

    Raises ValueError for fewer than one day or event.
    """

    def __init__(
        self,
        seed: int = DEFAULT_SEED,
        start: date = DEFAULT_START,
        days: int = 30,
        events_per_day: int = DEFAULT_EVENTS_PER_DAY,
    ) -> None:
        if days < 1 or events_per_day < 1:
            raise ValueError(
                f"a marketplace needs at least one day and one event a day, not {days} and {events_per_day}"
            )
        self.seed = seed
        self.start = start
        self.days = days
        self.events_per_day = events_per_day

    @property
    def parameters(self) -> dict[str, object]:
        """What the content depends on."""
        return {
            "version": VERSION,
            "seed": self.seed,
            "start": self.start.isoformat(),
            "days": self.days,
            "events_per_day": self.events_per_day,
        }

    def landing_days(self) -> Iterator[LandingDay]:
        """The landing days in order. Lines that arrive after the last of them are not part of the sample."""
        catalog = Catalog(self.seed, self.start)
        traffic = Traffic(self.seed, self.start, catalog, self.events_per_day)
        arriving: dict[int, list[Sent]] = defaultdict(list)
        for number in range(self.days):
            for sent in traffic.day(catalog.advance()):
                arriving[sent.received_at // DAY_MS].append(sent)
            lines = sorted(arriving.pop(number), key=lambda sent: sent.received_at)
            yield LandingDay(
                self.start + timedelta(days=number),
                _files(lines),
                Counter(sent.outcome for sent in lines),
            )

    def application_tables(self) -> dict[str, list[Row]]:
        """The rows of the application's tables at the end of the last day, by table."""
        catalog = Catalog(self.seed, self.start)
        for _ in range(self.days):
            catalog.advance()
        return catalog.tables


def _files(lines: list[Sent]) -> tuple[tuple[bytes, ...], ...]:
    """One file for each quarter of the day. The second one has a blank line, as files that were joined by hand do."""
    files: list[list[bytes]] = [[] for _ in range(FILES_PER_DAY)]
    for sent in lines:
        files[sent.received_at % DAY_MS * FILES_PER_DAY // DAY_MS].append(sent.line)
    files[1].insert(len(files[1]) // 2, b"")
    return tuple(tuple(file) for file in files)
