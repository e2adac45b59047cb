"""Checks that older versions recorded under another name."""

from datetime import date

import psycopg

from orchestration.cli.provision import prepare
from publishing import gates
from publishing.renamed_checks import NEW_NAMES
from publishing.stale_days import refused_days
from quality_checks.outcome import CheckOutcome, Severity
from quality_checks.results import record
from warehouse.connection import Warehouse
from warehouse.window import Window

DAY = date(2026, 10, 2)
OLD, NEW = "cohorts_show_their_days", "cohorts_match_visitor_days"


def test_results_under_an_old_name_go_on_under_the_new_one(
    warehouse: Warehouse, connection: psycopg.Connection
) -> None:
    connection.autocommit = True
    failed = CheckOutcome({"wrong_weeks": 1}, (DAY,), name=OLD, severity=Severity.ERROR)
    record(connection, [failed], build_id="before", window=Window.day(DAY))
    prepare(warehouse)
    prepare(warehouse)
    assert connection.execute("select build_id, check_name, is_passed from ops.check_results").fetchall() == [
        ("before", NEW, False)
    ]
    assert refused_days(connection) == {DAY}
    passed = CheckOutcome({"wrong_weeks": 0}, name=NEW, severity=Severity.ERROR)
    record(connection, [passed], build_id="after", window=Window.day(DAY))
    assert refused_days(connection) == set(), "the failure under the old name is over"


def test_checks_were_renamed_to_names_that_exist() -> None:
    names = {check.name for check in (*gates.RAW_CHECKS, *gates.BUILD_CHECKS)}
    assert set(NEW_NAMES.values()) <= names
    assert NEW_NAMES.keys().isdisjoint(names)
