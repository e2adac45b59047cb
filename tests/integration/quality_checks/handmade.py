"""Hand-made rows for the checks: each method writes one valid row, with what the test wants to be different."""

import hashlib
import itertools
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
from psycopg import sql

from quality_checks.expectations import run_suites
from quality_checks.outcome import CheckOutcome
from quality_checks.suite import Suite, load_suite
from warehouse.window import Window

FIRST_DAY = date(2026, 10, 1)
DAYS = [FIRST_DAY + timedelta(days=offset) for offset in range(-5, 8)]

# The tables that dbt makes, as far as the checks read them, and without constraints: what a check finds must not
# depend on an index that another engineer may drop.
DBT_TABLES = """
create schema if not exists staging;
create schema if not exists build;
create table staging.event_types (
    event_type text, family text, is_view boolean, is_click boolean, is_conversion boolean, value_prop text
);
insert into staging.event_types values
    ('asset_viewed', 'asset', true, false, false, null),
    ('asset_downloaded', 'asset', false, true, false, null),
    ('license_clicked', 'license', false, true, false, null),
    ('license_created', 'license', false, false, true, 'revenueCents'),
    ('page_viewed', 'page', false, false, false, null);
create table build.daily_metrics (
    metric_date date, project_id text, ip_asset_id text, license_id text, views bigint, clicks bigint,
    conversions bigint, revenue_cents bigint, unique_visitors bigint, engagement_time numeric(20, 3)
);
create table build.daily_metrics_by_channel (
    metric_date date, project_id text, ip_asset_id text, license_id text, channel text, source text,
    medium text, campaign text, views bigint, clicks bigint, conversions bigint, revenue_cents bigint,
    unique_visitors bigint, engagement_time numeric(20, 3)
);
create table raw.ad_spend (spend_date date, cost_cents bigint);
create table build.attribution_credits (
    metric_date date, conversion_id uuid, model text, weight numeric(20, 12), credited_cents bigint,
    conversion_cents bigint
);
create table build.attribution_daily (
    metric_date date, model text, credited_conversions numeric(20, 12), credited_cents bigint
);
create table build.attribution_paths (metric_date date, path_length bigint, conversions bigint, revenue_cents bigint);
create table build.roas_daily (
    metric_date date, model text, credited_conversions numeric(20, 12), credited_cents bigint, cost_cents bigint
);
"""


def at(moment: str) -> datetime:
    """An instant, given as ISO text in UTC."""
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


class Rows:
    """Writes rows into the warehouse under test; every row is visible to other connections at once."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)

    def execute(self, statement: str, *parameters: object) -> None:
        self._connection.execute(statement, parameters)  # type: ignore[arg-type]

    def insert(self, table: tuple[str, str], values: Mapping[str, object]) -> None:
        self._connection.execute(
            # Overriding, for the ledger's load_id, which is an identity column.
            sql.SQL("insert into {} ({}) overriding system value values ({})").format(
                sql.Identifier(*table),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(sql.Placeholder() * len(values)),
            ),
            list(values.values()),
        )

    def event(self, occurred_at: str, /, **changed: object) -> None:
        """A view of asset a1 by visitor v1 through load 1. A day that is changed alone contradicts occurred_at."""
        number = next(self._numbers)
        occurred = at(occurred_at)
        self.insert(
            ("raw", "events"),
            {
                "event_date": occurred.date(),
                "event_key": f"key-{number}",
                "event_id": UUID(int=number),
                "event_type": "asset_viewed",
                "occurred_at": occurred,
                "received_at": occurred + timedelta(seconds=2),
                "source": "web",
                "anonymous_id": "v1",
                "ip_asset_id": "a1",
                "props": json.dumps({}),
                "is_bot": False,
                "canonical_hash": hashlib.sha256(str(number).encode()).digest(),
                "load_id": 1,
                "line_number": number,
                **changed,
            },
        )

    def load(self, load_id: int, landing_date: date, **changed: object) -> None:
        """A load of one file without lines."""
        self.insert(
            ("ops", "loads"),
            {
                "load_id": load_id,
                "change_id": load_id,
                "landing_date": landing_date,
                "file": f"events/dt={landing_date}/{load_id}.ndjson",
                "checksum": "0",
                "file_bytes": 0,
                "lines_read": 0,
                "accepted": 0,
                "rejected": 0,
                "duplicates": 0,
                "not_tracked": 0,
                "late": 0,
                "event_dates": [],
                **changed,
            },
        )

    def rejected(self, load_id: int) -> None:
        number = next(self._numbers)
        self.insert(
            ("raw", "rejected_events"),
            {
                "line": "{",
                "line_bytes": 1,
                "reasons": ["not_json"],
                "load_id": load_id,
                "line_number": number,
            },
        )

    def duplicate(self, load_id: int, event_date: date) -> None:
        number = next(self._numbers)
        instant = datetime.combine(event_date, datetime.min.time(), UTC)
        self.insert(
            ("raw", "duplicate_events"),
            {
                "event_date": event_date,
                "event_key": "key",
                "received_at": instant,
                "occurred_at": instant,
                "canonical_hash": b"",
                "candidate": "{}",
                "load_id": load_id,
                "line_number": number,
            },
        )

    def metrics(self, metric_date: date | None, /, **changed: object) -> None:
        """The group of asset a1 with one view by one visitor."""
        self.insert(("build", "daily_metrics"), {"metric_date": metric_date, **_NUMBERS, **changed})

    def by_channel(self, metric_date: date | None, /, **changed: object) -> None:
        """Write the Direct channel of a group."""
        values = {"channel": "Direct", "source": "(direct)", "medium": "(none)", **_NUMBERS, **changed}
        self.insert(("build", "daily_metrics_by_channel"), {"metric_date": metric_date, **values})


_NUMBERS = {
    "ip_asset_id": "a1",
    "views": 1,
    "clicks": 0,
    "conversions": 0,
    "revenue_cents": 0,
    "unique_visitors": 1,
    "engagement_time": 0,
}


def run_suite(sqlalchemy_url: str, suite: str | Suite, window: Window) -> CheckOutcome:
    """Return the outcome of one suite."""
    [outcome] = run_suites(sqlalchemy_url, [load_suite(suite) if isinstance(suite, str) else suite], window)
    return outcome
