"""A warehouse with the generated marketplace of one seed, up to the measures of event sources: for bench-anomalies.

Real landing files are loaded, and dbt builds the models that the measures follow from. Checks and publication, which
change no measure, are left out.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

import pandas as pd

from attribution import schema as attribution_schema
from ingestion import landing_measures, schema
from ingestion.ad_spend import schema as ad_spend_schema
from ingestion.application import schema as application_schema
from ingestion.loading.landing_day import load_window
from quality_checks.anomalies.assessments import assessments
from quality_checks.anomalies.measures import MEASURES
from sample_data.application_rows import DAY_MS
from sample_data.catalog import Catalog
from sample_data.simulated_tracker import Sent
from sample_data.traffic import Traffic
from tests.benchmarks.planted_faults import Fault, packed
from tests.support import dbt_here
from warehouse.connection import Warehouse
from warehouse.window import ONE_DAY, Window

# A Monday. The holiday is a Thursday of the assessed weeks.
START: Final = date(2026, 3, 2)
MODEL: Final = "event_source_days"
_CHUNK_DAYS: Final = 14
# Monday to Sunday, relative to the quietest day; growth a week; share of traffic on a holiday and in a campaign.
_WEEKDAYS: Final = (1.09, 1.16, 1.18, 1.14, 1.07, 1.0, 1.02)
_WEEKLY_GROWTH: Final = 1.03
_HOLIDAY: Final = 0.55
_CAMPAIGN: Final = 1.05
HOLIDAY: Final = START + dt.timedelta(days=10 * 7 + 3)
# Every sixth week has a campaign of five days.
_CAMPAIGN_EVERY_DAYS: Final = 42
_CAMPAIGN_DAYS: Final = 5


def lines_of(day: date, least: int) -> int:
    """Return how many lines a day has: seasonality, growth, campaigns, a holiday."""
    number = (day - START).days
    factor = _WEEKDAYS[day.weekday()] * _WEEKLY_GROWTH ** (number / 7)
    if number % _CAMPAIGN_EVERY_DAYS < _CAMPAIGN_DAYS:
        factor *= _CAMPAIGN
    return int(least * factor * (_HOLIDAY if day == HOLIDAY else 1))


class AnomalyHistory:
    """The marketplace of one seed in a fresh warehouse, loaded and measured day by day."""

    def __init__(self, warehouse: Warehouse, landing: Path, *, seed: int, least_lines: int) -> None:
        self.warehouse, self.landing, self.seed, self._least = warehouse, landing, seed, least_lines
        self._catalog = Catalog(seed, START)
        self._traffic = Traffic(seed, START, self._catalog, least_lines)
        self._arriving: dict[int, list[Sent]] = defaultdict(list)
        self._kept: dict[date, list[Sent]] = {}
        self.connection = warehouse.connect(autocommit=True)
        for part in (schema, application_schema, ad_spend_schema, attribution_schema):
            part.create(self.connection)
        self.connection.execute("create schema if not exists rollups")
        dbt_here.run_dbt(warehouse, ["seed"])
        dbt_here.run_dbt(warehouse, ["run", "--select", f"+{MODEL}", *_window(Window.day(START - ONE_DAY))])
        self.connection.execute("create table if not exists rollups.event_source_days (like build.event_source_days)")
        self.connection.execute("truncate staging.holidays")
        self.connection.execute("insert into staging.holidays values (%s, 'a holiday')", [HOLIDAY])

    def write(self, days: int, *, keep_last: int = 0) -> Window:
        """Write the landing files of the next days, and keep the lines of the last ones. Returns all days."""
        for number in range(days):
            day = START + number * ONE_DAY
            sent = self._traffic.day(self._catalog.advance(), lines_of(day, self._least))
            if number >= days - keep_last:
                self._kept[day] = sent
            for line in sent:
                self._arriving[line.received_at // DAY_MS].append(line)
            self._write(day, self._arriving.pop(number, []))
        return Window(START, START + days * ONE_DAY)

    def _write(self, landing_day: date, lines: Sequence[Sent], name: str = "part-0") -> None:
        folder = self.landing / "events" / f"dt={landing_day}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.ndjson.gz").write_bytes(packed(lines))

    def load_and_build(self, window: Window) -> None:
        """Load the landing days of a window and build the measures of its event days."""
        load_window(self.connection, root=self.landing, window=window, start_date=START, processes=1)
        landing_measures.refresh(self.connection)
        for chunk in window.chunks(_CHUNK_DAYS):
            dbt_here.run_dbt(
                self.warehouse, ["run", "--select", f"+{MODEL},config.materialized:windowed", *_window(chunk)]
            )

    def plant(self, fault: Fault, size: float, last: date) -> Window:
        """Write the files of the days that have a fault, the last of which is `last`. Returns these days."""
        window = Window(last - (fault.days - 1) * ONE_DAY, last + ONE_DAY)
        rng = Random(f"{self.seed}/{fault.name}/{size}")  # noqa: S311
        for number, day in enumerate(window.days()):
            self._write_own_lines(day, fault.plant(self._kept[day], rng, size, number))
        return window

    def restore(self, window: Window) -> None:
        """Write the files of days without a fault again."""
        for day in window.days():
            self._write_own_lines(day, self._kept[day])

    def _write_own_lines(self, day: date, lines: Iterable[Sent]) -> None:
        """Write the lines of a day's own visitors that arrive on it. Those of other days are left out."""
        number = (day - START).days
        self._write(day, [sent for sent in lines if sent.received_at // DAY_MS == number])

    def assess(self, days: Iterable[date]) -> pd.DataFrame:
        """Return the assessments on days."""
        return assessments(self.connection, MEASURES, days)

    def close(self) -> None:
        self.connection.close()


def _window(window: Window) -> list[str]:
    return ["--event-time-start", window.start.isoformat(), "--event-time-end", window.end.isoformat()]
