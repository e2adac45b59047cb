"""Suite files: their entries, and the rows that they check."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from quality_checks.outcome import Severity
from quality_checks.suite import SUITES, SuiteError, load_suite, suite_names
from warehouse.window import Window

DECLARED = {
    "name": "orders_are_well_formed",
    "description": "Orders.",
    "asset": "raw/orders",
    "severity": "warning",
    "date_column": "order_date",
    "row_key": ["order_id"],
    "expectations": [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "order_id"}}],
}


QUERY = "select *, cast(paid_at as date) as paid_date, total::text\nfrom raw.orders\n"


def declare(folder: Path, query: str = QUERY, **changed: object) -> None:
    (folder / "orders.sql").write_text(query, encoding="utf-8")
    (folder / "orders.json").write_text(json.dumps({**DECLARED, **changed}), encoding="utf-8")


def test_adding_two_files_adds_a_suite(tmp_path: Path) -> None:
    declare(tmp_path)
    assert suite_names(tmp_path) == ["orders"]
    suite = load_suite("orders", tmp_path)
    assert (suite.name, suite.severity, suite.row_key) == ("orders_are_well_formed", Severity.WARNING, ("order_id",))
    assert suite.query == QUERY.rstrip()


def test_a_suite_checks_from_the_first_day_to_before_the_end_by_literal_dates(tmp_path: Path) -> None:
    declare(tmp_path)
    query = load_suite("orders", tmp_path).rows_of(Window(date(2026, 10, 1), date(2026, 10, 3)))
    assert "order_date >= date '2026-10-01' and order_date < date '2026-10-03'" in query


def test_an_unknown_suite_is_refused_and_the_known_ones_are_named(tmp_path: Path) -> None:
    declare(tmp_path)
    with pytest.raises(SuiteError, match=r"'order'.*orders"):
        load_suite("order", tmp_path)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"severity": "fatal"}, "fatal"),
        ({"expectations": []}, "without expectations"),
        ({"querry": []}, "querry"),
        ({"query": "select ' :b' as label from raw.orders"}, "colon"),
    ],
)
def test_a_file_that_does_not_say_what_it_must_is_refused(
    changed: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    declare(tmp_path, **changed)
    with pytest.raises(SuiteError, match=rf"orders\.json.*{complaint}"):
        load_suite("orders", tmp_path)


@pytest.mark.parametrize("entry", DECLARED)
def test_a_file_that_lacks_an_entry_is_refused_by_its_name(entry: str, tmp_path: Path) -> None:
    declare(tmp_path)
    lacking = {name: value for name, value in DECLARED.items() if name != entry}
    (tmp_path / "orders.json").write_text(json.dumps(lacking), encoding="utf-8")
    with pytest.raises(SuiteError, match=entry):
        load_suite("orders", tmp_path)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text("{", encoding="utf-8")
    with pytest.raises(SuiteError, match=r"orders\.json"):
        load_suite("orders", tmp_path)


def test_a_suite_without_its_query_is_refused(tmp_path: Path) -> None:
    declare(tmp_path)
    (tmp_path / "orders.sql").unlink()
    with pytest.raises(SuiteError, match=r"orders\.sql"):
        load_suite("orders", tmp_path)


def test_every_query_belongs_to_a_suite() -> None:
    assert sorted(path.stem for path in SUITES.glob("*.sql")) == suite_names()


def test_every_suite_of_the_product_can_be_read_and_names_a_check_of_its_own() -> None:
    checks = [load_suite(name).name for name in suite_names()]
    assert {"raw_events", "daily_metrics"} <= set(suite_names())
    assert len(set(checks)) == len(checks)


def test_reading_suites_does_not_import_great_expectations() -> None:
    program = (
        "import sys, quality_checks.expectations as e, quality_checks.suite as s;"
        "[s.load_suite(name) for name in s.suite_names()];"
        "sys.exit('great_expectations' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
