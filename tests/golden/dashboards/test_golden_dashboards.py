"""The dashboards over New Year and at the end of February, as a person has worked them out (README.md beside this)."""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path

import psycopg
import pytest

from tests.support import application_tables
from tests.support.pipeline import Pipeline
from warehouse.window import ONE_DAY, Window

GOLDEN = Path(__file__).parent
PUBLISHED = (
    Window.day(date(2027, 3, 1)),
    Window.day(date(2027, 12, 1)),
    Window(date(2027, 12, 27), date(2028, 3, 1)),
)
MARTS = [path.stem for path in sorted((GOLDEN / "expected").glob("*.csv"))]
# Cells of these columns may stand for several values.
FOLDED = ("period", "metric_date", "week_number")
# A mart that is too long to be written out: the rows that are.
CHOSEN = {"cohort_retention": "cohort_week = date '2027-03-01' or cohort_week >= date '2027-12-20'"}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def values(cell: str) -> Iterator[str]:
    """Return the value of a cell: values with blanks between them, and days or numbers `from..to`, both included."""
    for part in cell.split():
        first, is_range, last = part.partition("..")
        if not is_range:
            yield part
        elif first.isdigit():
            yield from map(str, range(int(first), int(last) + 1))
        else:
            yield from map(str, Window(date.fromisoformat(first), date.fromisoformat(last) + ONE_DAY).days())


def expected(mart: str) -> list[tuple[str, ...]]:
    """The file's rows, one for each of the values that a cell stands for."""
    return [
        cells
        for row in read(GOLDEN / "expected" / f"{mart}.csv")
        for cells in product(*(values(cell) if column in FOLDED else [cell] for column, cell in row.items()))
    ]


def columns(mart: str) -> str:
    with (GOLDEN / "expected" / f"{mart}.csv").open(newline="") as file:
        return ", ".join(next(csv.reader(file)))


def number(value: object) -> str:
    """A number without trailing zeros, anything else as text, null as nothing."""
    return "" if value is None else format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)


@pytest.mark.models(*MARTS, "daily_metrics_by_channel")
def test_the_golden_dashboards_come_out_as_worked_out_by_hand(pipeline: Pipeline) -> None:
    assert pipeline.warehouse.application_url is not None
    with psycopg.connect(pipeline.warehouse.application_url) as application:
        application.execute(application_tables.DDL)  # type: ignore[call-overload]
        application.execute((GOLDEN / "application.sql").read_text())  # type: ignore[call-overload]
    pipeline.read_application(PUBLISHED[0].start)
    for row in read(GOLDEN / "events.csv"):
        event = {
            "idempotencyKey": row["event"],
            "occurredAt": row["occurred_at"],
            "anonymousId": row["device"] or None,
            "actorId": row["actor"] or None,
            "source": row["source"],
            "eventType": row["event_type"],
            "ipAssetId": row["asset"] or None,
            "projectId": row["project"] or None,
            "props": {"revenueCents": int(row["revenue_cents"]), "engagementTime": int(row["engagement_time"])},
            "attribution": {"utmSource": row["utm_source"] or None, "referrer": row["referrer"] or None},
            "context": {"userAgent": row["user_agent"] or None},
        }
        pipeline.land(date.fromisoformat(row["occurred_at"][:10]), [event], f"{row['event']}.ndjson")

    for window in PUBLISHED:
        pipeline.run(window)

    differences = []
    for mart in MARTS:
        query = f"select {columns(mart)} from marts.{mart} where {CHOSEN.get(mart, 'true')}"
        shown = Counter(tuple(map(number, row)) for row in pipeline.rows(query))
        worked_out = Counter(expected(mart))
        differences += [f"{mart} shows {','.join(row)}" for row in sorted((shown - worked_out).elements())]
        differences += [f"{mart} lacks {','.join(row)}" for row in sorted((worked_out - shown).elements())]
    assert not differences, "\n".join(differences)
