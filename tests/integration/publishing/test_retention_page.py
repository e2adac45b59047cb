"""The page on retention against the tables that there are: each is listed once, as dropped or as kept."""

import re
from datetime import date

import pytest

from tests.integration.publishing.sealed_history import all_bounds
from tests.support.pipeline import Pipeline
from tests.support.table_contents import table_names
from warehouse.connection import CHECKOUT

PAGE = CHECKOUT / "docs" / "concepts" / "retention.md"


def listed(section: str) -> list[str]:
    """Return the tables in the first column of a section."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n### {section}\n")[2].partition("\n### ")[0]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall("`([a-z_.]+)`", row)]


@pytest.mark.models
def test_every_table_is_listed_as_dropped_or_as_kept(pipeline: Pipeline) -> None:
    dropped, kept = listed("Dropped"), listed("Kept")
    assert sorted(dropped) == sorted({bound.relation for bound in all_bounds()} | {"raw.attribution"})
    tables = table_names(pipeline.connection, ("raw", "intermediate", "build", "rollups", "marts"))
    assert sorted(dropped + kept) == sorted(tables)


def test_the_bounds_are_those_of_the_page() -> None:
    # A Thursday in the middle of a month.
    found = {bound.relation: bound.before for bound in all_bounds(date(2026, 10, 15))}
    assert found["raw.events"] == date(2026, 10, 12)
    assert found["intermediate.int_events_sessionized"] == date(2026, 10, 14)
    assert found["intermediate.int_identity_observations"] == date(2026, 10, 15)
    # 90 and 30 days before the Monday, 2026-10-12.
    assert found["intermediate.int_sessions"] == date(2026, 6, 14)
    assert found["intermediate.int_funnel_events"] == date(2026, 9, 15)
    assert found["rollups.visitor_active_days"] == date(2026, 10, 1)
    assert (found["build.daily_metrics"], found["build.weekly_metrics"]) == (date(2026, 10, 15), date(2026, 10, 12))
