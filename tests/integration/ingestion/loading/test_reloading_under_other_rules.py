"""Landing days that were loaded under other rules, and are loaded again under today's."""

from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest

from ingestion.landing.files import LandingError
from ingestion.loading.landing_day import LoadReport, load_landing_day
from ingestion.loading.reload import reload_window
from ingestion.loading.replay import Selection, replay_rejected
from ingestion.validation_lists import EventRules, default_rules
from tests.integration.ingestion.loading.raw_tables import RawTables, event
from tests.support.pipeline import START
from warehouse.window import Window

DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)
BOTH = Window(DAY, date(2026, 10, 4))
# Today's rules take this agent for a crawler; the older ones did not.
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AcmeView/1.0"
NEW = replace(default_rules(), crawlers=(("AcmeView", True),))
OLD = replace(default_rules(), crawlers=())


def by(agent: str = AGENT, **more: Any) -> dict[str, Any]:
    return {"context": {"userAgent": agent}, **more}


def load(raw: RawTables, day: date, rules: EventRules) -> LoadReport:
    return load_landing_day(raw.pipeline.connection, root=raw.landing, landing_date=day, start_date=START, rules=rules)


def reload(raw: RawTables, window: Window = BOTH, rules: EventRules = NEW) -> list[LoadReport]:
    return reload_window(raw.pipeline.connection, root=raw.landing, window=window, start_date=START, rules=rules)


def fresh(raw: RawTables, files: dict[tuple[date, str], list[Any]]) -> dict[str, list[tuple[str, ...]]]:
    """Empty the warehouse, load these files under today's rules, and return raw."""
    raw.reset()
    for (day, name), lines in files.items():
        raw.land(day, lines, name)
    for day in BOTH.days():
        load(raw, day, NEW)
    return raw.contents()


def test_the_same_rules_load_nothing_again(raw: RawTables) -> None:
    raw.land(DAY, [event("a", **by())])
    load(raw, DAY, NEW)
    before = raw.everything()
    assert reload(raw) == []
    assert raw.everything() == before


def test_other_rules_load_a_file_again_that_has_not_changed(raw: RawTables) -> None:
    raw.land(DAY, [event("a", **by())])
    load(raw, DAY, OLD)
    # An ordinary load goes by name and checksum alone.
    assert load(raw, DAY, NEW).loaded == ()
    assert raw.rows("select is_bot from raw.events") == [(False,)]

    [report] = reload(raw)
    assert (report.loaded, report.accepted) == (("events/dt=2026-10-02/part-0.ndjson",), 1)
    assert raw.rows("select is_bot from raw.events") == [(True,)]
    assert reload(raw) == []


def test_loads_of_versions_without_a_digest_are_loaded_again(raw: RawTables) -> None:
    raw.land(DAY, [event("a")])
    load(raw, DAY, NEW)
    raw.pipeline.connection.execute("update ops.loads set rules_digest = null")
    assert [report.landing_date for report in reload(raw)] == [DAY]


def test_only_landing_days_of_the_window_are_loaded_again(raw: RawTables) -> None:
    for day in BOTH.days():
        raw.land(day, [event(f"of {day}", f"{day}T10:00:00Z", **by())])
        load(raw, day, OLD)
    assert [report.landing_date for report in reload(raw, Window.day(NEXT_DAY))] == [NEXT_DAY]
    assert raw.rows("select event_date, is_bot from raw.events order by 1") == [(DAY, False), (NEXT_DAY, True)]


def test_days_become_stale_where_rows_differ_and_only_there(raw: RawTables) -> None:
    raw.land(DAY, [event("a", **by()), event("b", "2026-10-01T10:00:00Z", **by("Mozilla/5.0"))])
    load(raw, DAY, OLD)
    last_change = raw.last_change()
    reload(raw)
    assert raw.changed_days(last_change) == {DAY}


@pytest.mark.parametrize(
    ("column", "sent"),
    [
        ("a device", by("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15")),
        ("a campaign", {"attribution": {"utmCampaign": "Spring"}}),
        ("props", {"props": {"title": "x"}}),
    ],
)
def test_a_rule_that_changes_any_column_makes_its_day_stale(
    raw: RawTables, monkeypatch: pytest.MonkeyPatch, column: str, sent: dict[str, Any]
) -> None:
    """Rows are loaded as an older version might have stored them: the same event, with another column."""
    raw.land(DAY, [event("a", **sent)])
    load(raw, DAY, OLD)
    older = {
        "a device": "update raw.events set device_type = 'desktop'",
        "a campaign": "update raw.attribution set utm_campaign = '[redacted]'",
        "props": """update raw.events set props = '{"title": "[redacted]"}'""",
    }[column]
    raw.pipeline.connection.execute(older)  # type: ignore[arg-type]
    last_change = raw.last_change()
    reload(raw)
    assert raw.changed_days(last_change) == {DAY}


def test_files_that_are_gone_keep_their_rows_and_are_named(raw: RawTables) -> None:
    raw.land(DAY, [event("a", **by())], "gone.ndjson")
    raw.land(DAY, [event("b", **by())], "there.ndjson")
    load(raw, DAY, OLD)
    raw.lose(DAY, "gone.ndjson")
    [report] = reload(raw)
    assert report.outdated == report.missing == ("events/dt=2026-10-02/gone.ndjson",)
    assert report.loaded == ("events/dt=2026-10-02/there.ndjson",)
    assert raw.rows("select event_key, is_bot from raw.events order by 1") == [("a", False), ("b", True)]


def test_retries_under_new_rules_and_a_reload_equal_a_fresh_load(raw: RawTables, limit_of_two: int) -> None:
    """Of copies that are equal in all that counts the place decides, whichever rules have read them."""
    assert limit_of_two == 2
    first = [
        event("first wins", **by()),
        event("equal", **by()),
        event("alone", **by(), attribution={"utmSource": "x"}),
        *(event(f"busy {number}", **by(), anonymousId="v") for number in range(4)),
        "no JSON",
    ]
    retries = [
        event("first wins", **by(), receivedAt="2026-10-03T23:00:00Z"),
        event("equal", **by()),
        event("busy 3", **by(), anonymousId="v"),
        event("busy 9", **by(), anonymousId="v", receivedAt="2026-10-02T10:00:00Z"),
    ]
    files = {(DAY, "b.ndjson"): first, (NEXT_DAY, "a.ndjson"): retries, (NEXT_DAY, "c.ndjson"): retries[:2]}
    expected = fresh(raw, files)

    raw.reset()
    raw.land(DAY, first, "b.ndjson")
    load(raw, DAY, OLD)
    raw.land(NEXT_DAY, retries, "a.ndjson")
    raw.land(NEXT_DAY, retries[:2], "c.ndjson")
    load(raw, NEXT_DAY, NEW)
    assert raw.contents() != expected, "this test shows nothing: the rules make no difference"
    assert [report.landing_date for report in reload(raw)] == [DAY]
    assert raw.contents() == expected
    raw.assert_ledger_adds_up()


def test_a_replay_leaves_the_rest_of_its_load_to_a_reload(raw: RawTables) -> None:
    raw.land(DAY, [event("a", **by()), "no JSON", {**event("b", **by()), "occurredAt": "2026-09-30T10:00:00Z"}])
    load(raw, DAY, OLD)
    replay_rejected(
        raw.pipeline.connection,
        root=raw.landing,
        start_date=date(2026, 9, 1),
        selection=Selection(reason="occurredAt"),
        rules=NEW,
    )
    assert raw.rows("select event_key, is_bot from raw.events order by 1") == [("a", False), ("b", True)]
    [report] = reload_window(
        raw.pipeline.connection, root=raw.landing, window=BOTH, start_date=date(2026, 9, 1), rules=NEW
    )
    assert report.accepted == 2
    assert raw.rows("select event_key, is_bot from raw.events order by 1") == [("a", True), ("b", True)]


def test_a_reload_that_dies_between_days_goes_on_where_it_ended(
    raw: RawTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in BOTH.days():
        raw.land(day, [event(f"of {day}", f"{day}T10:00:00Z", **by())])
        load(raw, day, OLD)
    kept = raw.contents()

    def dies(report: LoadReport) -> None:
        raise psycopg.OperationalError(f"killed after {report.landing_date}")

    with pytest.raises(psycopg.OperationalError, match="killed after 2026-10-02"):
        reload_window(raw.pipeline.connection, root=raw.landing, window=BOTH, start_date=START, rules=NEW, on_day=dies)
    assert raw.contents() != kept
    assert [report.landing_date for report in reload(raw)] == [NEXT_DAY]
    assert raw.rows("select event_date, is_bot from raw.events order by 1") == [(DAY, True), (NEXT_DAY, True)]


def test_a_reload_that_meets_a_bad_file_keeps_its_rows_and_says_what_to_do(raw: RawTables) -> None:
    for day in BOTH.days():
        raw.land(day, [event(f"of {day}", f"{day}T10:00:00Z", **by())])
        load(raw, day, OLD)
    raw.land(NEXT_DAY, ["no events"], "notes.txt")
    with pytest.raises(LandingError, match=r"notes\.txt .* Landing day 2026-10-03 and later ones keep their rows as"):
        reload(raw)
    assert raw.rows("select event_date, is_bot from raw.events order by 1") == [(DAY, True), (NEXT_DAY, False)]
