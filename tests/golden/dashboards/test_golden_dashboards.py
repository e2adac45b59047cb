"""The dashboards over New Year and at the end of February, as a person has worked them out (README.md beside this)."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from ingestion.window import Window
from tests import application_tables
from tests.pipeline import Pipeline

GOLDEN = Path(__file__).parent
PUBLISHED = Window(date(2026, 12, 28), date(2027, 3, 1))
MARTS = [path.stem for path in sorted((GOLDEN / "expected").glob("*.csv"))]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def expected(mart: str) -> list[dict[str, str]]:
    """The file's rows, one for each of the periods that it names together."""
    rows = read(GOLDEN / "expected" / f"{mart}.csv")
    return (
        [row | {"period": period} for row in rows for period in row["period"].split()] if "period" in rows[0] else rows
    )


def number(value: object) -> str:
    """A number without trailing zeros, anything else as text, null as nothing."""
    return "" if value is None else format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)


@pytest.mark.models(*MARTS, "daily_metrics_by_channel", "asset_top_referrers")
def test_the_golden_dashboards_come_out_as_worked_out_by_hand(pipeline: Pipeline) -> None:
    assert pipeline.warehouse.application_url is not None
    with psycopg.connect(pipeline.warehouse.application_url) as application:
        application.execute(application_tables.DDL)  # type: ignore[call-overload]
        application.execute((GOLDEN / "application.sql").read_text())  # type: ignore[call-overload]
    pipeline.read_application(PUBLISHED.start)
    for row in read(GOLDEN / "events.csv"):
        event = {
            "idempotencyKey": row["event"],
            "occurredAt": row["occurred_at"],
            "anonymousId": row["device"],
            "eventType": row["event_type"],
            "ipAssetId": row["asset"],
            "props": {"revenueCents": int(row["revenue_cents"]), "engagementTime": int(row["engagement_time"])},
        }
        pipeline.land(date.fromisoformat(row["occurred_at"][:10]), [event], f"{row['event']}.ndjson")

    pipeline.run(PUBLISHED)

    for mart in MARTS:
        rows = expected(mart)
        shown = [tuple(map(number, row)) for row in pipeline.rows(f"select {', '.join(rows[0])} from marts.{mart}")]
        assert sorted(shown) == sorted(tuple(row.values()) for row in rows), mart
