"""Sample marketplace: realistic landing files and application tables, with the usual defects.

`Marketplace` is deterministic. Equal seed, start and volume give equal bytes for a landing day, for any number of days.
The expected outcome of every line is counted, so that tests can compare it with the result of a load.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
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

# Raised with every change of the generated data, so that older files are replaced.
VERSION: Final = 3
DEFAULT_SEED: Final = 20_261_001
DEFAULT_START: Final = date(2026, 10, 1)
# Lines of the quietest day, of which more than 10,000 are accepted.
DEFAULT_EVENTS_PER_DAY: Final = 10_800
FILES_PER_DAY: Final = 4


@dataclass(frozen=True, slots=True)
class LandingDay:
    """The lines that arrive on one UTC day, by file, and their numbers by expected outcome."""

    day: date
    files: tuple[tuple[bytes, ...], ...]
    outcomes: Mapping[Outcome, int]


@dataclass(frozen=True, slots=True)
class Marketplace:
    """A marketplace of `days` days from `start` on, with at least `events_per_day` lines a day.

    Raises ValueError for fewer than one day or event.
    """

    seed: int = DEFAULT_SEED
    start: date = DEFAULT_START
    days: int = 30
    events_per_day: int = DEFAULT_EVENTS_PER_DAY

    def __post_init__(self) -> None:
        if self.days < 1 or self.events_per_day < 1:
            raise ValueError(
                f"a marketplace needs at least one day and one event a day, not {self.days} and {self.events_per_day}"
            )

    @property
    def parameters(self) -> dict[str, object]:
        """Return all parameters that determine the content."""
        return {"version": VERSION, **asdict(self), "start": self.start.isoformat()}

    def landing_days(self) -> Iterator[LandingDay]:
        """Yield the landing days in order. Lines that arrive after the last day are left out."""
        catalog = Catalog(self.seed, self.start)
        traffic = Traffic(self.seed, self.start, catalog, self.events_per_day)
        arriving: dict[int, list[Sent]] = defaultdict(list)
        for number in range(self.days):
            for sent in traffic.day(catalog.advance()):
                arriving[sent.received_at // DAY_MS].append(sent)
            lines = sorted(arriving.pop(number), key=lambda sent: sent.received_at)
            outcomes = Counter(sent.outcome for sent in lines)
            yield LandingDay(self.start + timedelta(days=number), _files(lines), outcomes)

    def application_tables(self) -> dict[str, list[Row]]:
        """Return the rows of the application at the end of the last day, by table."""
        catalog = Catalog(self.seed, self.start)
        for _ in range(self.days):
            catalog.advance()
        return catalog.tables


def _files(lines: list[Sent]) -> tuple[tuple[bytes, ...], ...]:
    """Split lines into one file for each quarter of the day. The second has a blank line, as joined files often do."""
    files: list[list[bytes]] = [[] for _ in range(FILES_PER_DAY)]
    for sent in lines:
        files[sent.received_at % DAY_MS * FILES_PER_DAY // DAY_MS].append(sent.line)
    files[1].insert(len(files[1]) // 2, b"")
    return tuple(tuple(file) for file in files)
