"""Ad spend files and their loads, on a real server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingestion import schema
from ingestion.ad_spend import schema as ad_spend_schema
from ingestion.ad_spend.loading import AdSpendReport, load_ad_spend

HEADER = "date,utm_source,utm_medium,utm_campaign,cost_cents,impressions,clicks"

Write = Callable[..., Path]
Load = Callable[[], AdSpendReport]
Rows = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def raw(connection: psycopg.Connection) -> psycopg.Connection:
    schema.create(connection)
    ad_spend_schema.create(connection)
    connection.commit()
    return connection


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def run(name: str, *rows: str, header: str = HEADER) -> Path:
        path = tmp_path / "ad_spend" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join((header, *rows)) + "\n")
        return path

    return run


@pytest.fixture
def load(raw: psycopg.Connection, tmp_path: Path) -> Load:
    def run() -> AdSpendReport:
        report = load_ad_spend(raw, root=tmp_path)
        counts = raw.execute(
            "select file from ops.ad_spend_loads where rows_read <> accepted + rejected + duplicates"
        ).fetchall()
        raw.commit()
        assert counts == []
        return report

    return run


@pytest.fixture
def rows(raw: psycopg.Connection) -> Rows:
    def run(query: str) -> list[tuple[Any, ...]]:
        found = raw.execute(query).fetchall()  # type: ignore[arg-type]
        raw.commit()
        return found

    return run


SPEND = (
    "select spend_date::text, utm_source_normalized, utm_campaign_normalized, cost_cents from raw.ad_spend"
    " order by 1, 2, 3, 4"
)
STALE = "select event_date::text, reason from ops.stale_day_marks order by 1"
