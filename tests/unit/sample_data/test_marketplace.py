"""The sample marketplace is repeatable, keeps the contract, and knows what becomes of each of its lines."""

import json
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ingestion.ad_spend.csv_files import ad_spend_files, read_content
from ingestion.ad_spend.csv_rows import RejectedRow, read_rows
from ingestion.schema import CANDIDATE_COLUMN_NAMES
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator, NotTracked, RejectedLine
from sample_data import MAIL_DOMAIN, PASSWORD_MARK, LandingDay, Marketplace, Outcome
from sample_data.broken_lines import KINDS
from sample_data.catalog import Catalog
from sample_data.landing_files import write_landing_files
from sample_data.traffic import Traffic
from sample_data.visitors import arrival
from tests.support.stored_values import values_of
from tests.unit.sample_data.conftest import DAYS, START, lines_of, outcomes_of, small


def test_the_same_parameters_give_the_same_bytes(landing_days: list[LandingDay]) -> None:
    assert list(small().landing_days()) == landing_days


def test_another_seed_gives_another_marketplace(landing_days: list[LandingDay]) -> None:
    other = next(small(seed=1).landing_days())
    assert other.files != landing_days[0].files


def test_marketplaces_with_distant_first_numbers_share_no_id() -> None:
    tables = [Catalog(seed, START, first_number=first).tables for seed, first in ((1, 1), (2, 1_000_001))]
    for name, rows in tables[0].items():
        assert rows or name in ("license_adjustments", "payouts")
        assert not {row["id"] for row in rows} & {row["id"] for row in tables[1][name]}
    assert not {user["email"] for user in tables[0]["users"]} & {user["email"] for user in tables[1]["users"]}


def test_a_day_has_as_many_lines_as_asked_for() -> None:
    catalog = Catalog(1, START)
    traffic = Traffic(1, START, catalog, events_per_day=10)
    # The last visit may go on a little.
    assert 5_000 <= len(traffic.day(catalog.advance(), 5_000)) < 5_100
    assert len(traffic.day(catalog.advance())) < 1_000


def test_a_longer_sample_begins_with_the_shorter_one(landing_days: list[LandingDay]) -> None:
    shorter = small(4)
    assert list(shorter.landing_days()) == landing_days[:4]


def test_a_later_state_of_the_application_keeps_every_row_of_the_earlier_one(
    tables: dict[str, list[dict[str, Any]]],
) -> None:
    earlier = small(4).application_tables()
    changing = {"status", "deleted_at", "end_date"}
    for name, rows in earlier.items():
        for row, later in zip(rows, tables[name], strict=False):
            assert {key: row[key] for key in row.keys() - changing} == {
                key: later[key] for key in row.keys() - changing
            }
        assert len(tables[name]) >= len(rows)


def test_a_sample_without_days_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        Marketplace(days=0)


def test_every_line_has_the_outcome_that_is_counted_for_it(landing_days: list[LandingDay]) -> None:
    seen: set[tuple[date, str]] = set()
    minutes: dict[tuple[str, datetime], int] = defaultdict(int)
    for day in landing_days:
        counts: Counter[Outcome] = Counter()
        candidates = []
        for result in outcomes_of(day):
            match result:
                case RejectedLine():
                    counts[Outcome.REJECTED] += 1
                case NotTracked():
                    counts[Outcome.NOT_TRACKED] += 1
                case ValidEvent():
                    candidates.append(dict(zip(CANDIDATE_COLUMN_NAMES, values_of(result), strict=True)))
        for event in sorted(candidates, key=lambda event: (event["received_at"], event["occurred_at"])):
            key = (event["event_date"], event["event_key"])
            who = event["actor_id"] or event["anonymous_id"] or event["session_id"]
            if key in seen:
                counts[Outcome.DUPLICATE] += 1
                continue
            seen.add(key)
            minute = (who, event["occurred_at"].replace(second=0, microsecond=0))
            minutes[minute] += who is not None and event["source"] in ("web", "mobile")
            counts[Outcome.RATE_LIMITED if minutes[minute] > 100 else Outcome.ACCEPTED] += 1
        assert counts == day.outcomes, day.day


def test_dirt_has_its_share(landing_days: list[LandingDay]) -> None:
    counts: Counter[Outcome] = Counter()
    for day in landing_days:
        counts.update(day.outcomes)
    lines = counts.total()
    assert 0.006 < counts[Outcome.REJECTED] / lines < 0.016
    assert 0.013 < counts[Outcome.DUPLICATE] / lines < 0.028
    assert 0.003 < counts[Outcome.NOT_TRACKED] / lines < 0.04
    assert counts[Outcome.RATE_LIMITED] == 60


def test_more_than_ten_thousand_events_are_accepted_on_every_day() -> None:
    # Friday to Sunday: the quiet end of a week, and the first days, which get no late events from before.
    for day in Marketplace(start=date(2026, 10, 2), days=3).landing_days():
        assert day.outcomes[Outcome.ACCEPTED] > 10_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_broken_line_is_rejected(kind: str) -> None:
    event = {
        "eventType": "asset_viewed",
        "occurredAt": "2026-10-01T10:00:00Z",
        "receivedAt": "2026-10-01T10:00:01Z",
        "entityType": "asset",
        "entityId": "ast_000001",
        "props": {"engagementTime": 3},
    }
    validator = LineValidator(landing_date=START, start_date=START)
    assert isinstance(validator.validate(json.dumps(event).encode()), ValidEvent)
    assert isinstance(validator.validate(KINDS[kind](event)), RejectedLine)


def test_licenses_are_sent_as_events_with_their_fee_and_time(
    events: list[dict[str, Any]], tables: dict[str, list[dict[str, Any]]]
) -> None:
    licenses = {row["id"]: row for row in tables["licenses"]}
    sent = [event for event in events if event["event_type"] == "license_created"]
    for event in sent:
        row = licenses[event["license_id"]]
        assert (event["revenue_cents"] or 0) == row["fee_cents"]
        assert event["occurred_at"] == row["created_at"].replace(
            microsecond=row["created_at"].microsecond // 1000 * 1000
        )
        assert event["ip_asset_id"] in (None, row["ip_asset_id"])
        assert event["project_id"] in (None, row["project_id"])
    created = {row["id"] for row in tables["licenses"] if row["created_at"].date() >= START}
    # Some are still on a phone that has no connection.
    missing = created - {event["license_id"] for event in sent}
    assert len(missing) <= len(created) // 20
    assert len(sent) == len(created) - len(missing)


def test_the_shares_of_every_asset_add_up_on_every_day(tables: dict[str, list[dict[str, Any]]]) -> None:
    for asset in tables["ip_assets"]:
        shares = [row for row in tables["ip_ownerships"] if row["ip_asset_id"] == asset["id"]]
        for number in range(DAYS):
            day = START + timedelta(days=number)
            if asset["created_at"].date() <= day:
                owned = [row for row in shares if row["start_date"] <= day and (row["end_date"] or date.max) > day]
                assert sum(row["share_bps"] for row in owned) == 10_000
                assert len({row["creator_id"] for row in owned}) == len(owned)
    assert any(row["end_date"] for row in tables["ip_ownerships"])


def test_rows_refer_to_rows_that_were_there_before_them(tables: dict[str, list[dict[str, Any]]]) -> None:
    by_id = {row["id"]: row for rows in tables.values() for row in rows}
    for row in tables["licenses"]:
        assert by_id[row["project_id"]]["brand_id"] == row["brand_id"]
        for reference in ("ip_asset_id", "project_id", "brand_id", "parent_license_id"):
            if row[reference]:
                assert by_id[row[reference]]["created_at"] <= row["created_at"]
        assert row["start_date"] < row["end_date"]
    assert any(row["parent_license_id"] for row in tables["licenses"])


def test_events_come_late_by_up_to_five_days_and_just_after_midnight(events: list[dict[str, Any]]) -> None:
    late = Counter((event["landed"] - event["event_date"]).days for event in events)
    assert min(late) == 0
    assert all(late[days] for days in (1, 2, 3))
    just_after = [
        event
        for event in events
        if event["received_at"].date() > event["event_date"]
        and event["received_at"] - event["occurred_at"] < timedelta(seconds=5)
    ]
    assert just_after


def test_people_are_anonymous_first_and_linked_by_signing_in(events: list[dict[str, Any]]) -> None:
    links: dict[str, set[str]] = defaultdict(set)
    anonymous = {event["anonymous_id"] for event in events if event["actor_id"] is None}
    for event in events:
        if event["anonymous_id"] and event["actor_id"]:
            links[event["anonymous_id"]].add(event["actor_id"])
    assert len(links.keys() & anonymous) > 100
    assert {event["source"] for event in events} == {"web", "mobile", "api", "system", "webhook"}
    assert any(event["is_bot"] for event in events)
    assert any(event["anonymous_id"] and not event["session_id"] for event in events)


def test_visits_arrive_through_many_channels() -> None:
    rng = Random(1)  # noqa: S311
    mediums = {arrival(rng, "/").get("utmMedium") for _ in range(3_000)}
    assert mediums >= {None, "cpc", "paid_social", "email", "affiliate", "display", "sms", "push", "audio", "cpv"}


def test_most_events_come_from_the_present_tracker(landing_days: list[LandingDay]) -> None:
    lines = [line for line in lines_of(landing_days[0]) if line.startswith(b'{"eventType"')]
    # Only the present tracker writes UTC in this form.
    assert sum(b'"receivedAt":"2026-10-01T' in line and b'+00:00"' in line for line in lines) > len(lines) / 2


def test_every_row_of_ad_spend_can_be_used_and_is_about_its_day(tmp_path: Path) -> None:
    write_landing_files(small(2), tmp_path)
    files, others = ad_spend_files(tmp_path)
    assert len(files) == 2
    assert others == {}
    for file, day in zip(files, (START, START + timedelta(days=1)), strict=True):
        rows = list(read_rows(file.name, read_content(file)[0]))
        assert len(rows) > 30
        assert all(not isinstance(row, RejectedRow) and row[1].date == day for row in rows)
        assert 10_000 < sum(row[1].cost_cents for row in rows) < 1_000_000  # type: ignore[union-attr]


def test_personal_data_is_planted_for_others_to_look_for(landing_days: list[LandingDay]) -> None:
    text = b"\n".join(line for day in landing_days for line in lines_of(day))
    for mark in (MAIL_DOMAIN, PASSWORD_MARK, "+1 415 555 01", "203.0.113."):
        assert mark.encode() in text


def test_odd_values_are_planted_that_are_dropped_or_understood(landing_days: list[LandingDay]) -> None:
    text = b"\n".join(line for day in landing_days for line in lines_of(day))
    for mark in (
        "undefined", "00000000-0000-0000-0000-000000000000", "session-17", "capacitor://localhost/", "about:blank",
        "wbraid", "%253Femail", "İstanbul-Partner", '.0,"feeCents"', "ELB-HealthChecker", "Instagram",
    ):  # fmt: skip
        assert mark.encode() in text, mark
