"""Days whose rows were made by different rules are named, with what to do."""

from datetime import date

import pytest

from quality_checks.outcome import Severity
from quality_checks.rule_sets import event_days_have_one_rule_set
from tests.support.pipeline import Pipeline
from warehouse.window import Window

DAY, NEXT_DAY = date(2026, 10, 2), date(2026, 10, 3)
WINDOW = Window(DAY, date(2026, 10, 5))


@pytest.fixture
def late(pipeline: Pipeline) -> Pipeline:
    """A day, and the day after it with an event that comes late."""
    event = {"eventType": "page_viewed", "occurredAt": "2026-10-02T10:00:00Z"}
    pipeline.land(DAY, [event | {"idempotencyKey": "in time"}])
    pipeline.load(Window.day(DAY))
    pipeline.land(NEXT_DAY, [event | {"idempotencyKey": "late"}, event | {"occurredAt": "2026-10-03T10:00:00Z"}])
    pipeline.load(Window.day(NEXT_DAY))
    return pipeline


def test_days_of_one_rule_set_pass(late: Pipeline) -> None:
    outcome = event_days_have_one_rule_set(late.connection, WINDOW)
    assert (outcome.passed, outcome.severity) == (True, Severity.WARNING)


@pytest.mark.parametrize("digest", [None, "of older rules"])
def test_a_day_with_rows_of_older_rules_is_named_with_what_to_do(late: Pipeline, digest: str | None) -> None:
    late.connection.execute("update ops.loads set rules_digest = %s where landing_date = %s", [digest, DAY])
    outcome = event_days_have_one_rule_set(late.connection, WINDOW)
    assert not outcome.passed
    assert outcome.days == (DAY,)
    assert outcome.observed == {
        "days_of_mixed_rules": 1,
        "to_do": "warehouse reload 2026-10-02 2026-10-03",
    }
    [shown] = outcome.sample
    assert (shown["rule_sets"], shown["events_of_other_rules"]) == (2, 1)


def test_a_load_without_a_row_of_the_day_does_not_count(late: Pipeline) -> None:
    late.connection.execute("update ops.loads set rules_digest = null where landing_date = %s", [DAY])
    # The copy that ranks first has replaced the one that the older load had stored.
    first = {"eventType": "page_viewed", "occurredAt": "2026-10-02T10:00:00Z", "receivedAt": "2026-10-02T10:00:00Z"}
    late.land(NEXT_DAY, [first | {"idempotencyKey": "in time"}], "retry.ndjson")
    late.load(Window.day(NEXT_DAY))
    assert event_days_have_one_rule_set(late.connection, WINDOW).passed
