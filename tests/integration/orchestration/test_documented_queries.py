"""Queries and commands that the pages for operators tell to type."""

import re
from datetime import date
from pathlib import Path

import pytest

from alerting.fault import Kind
from alerting.messages import words_of
from orchestration.__main__ import warehouse as command_line
from tests.support.code_location import definitions
from warehouse.connection import CHECKOUT, Warehouse

DAYS = [date(2026, 10, 7), date(2026, 10, 9)]
PAGES = [CHECKOUT / "docs" / name for name in ("operate.md", "deploy.md", "concepts/alerts.md")]


def test_the_query_of_sizes_names_the_largest_tables_with_their_partitions(warehouse: Warehouse) -> None:
    [query] = re.findall(r"```sql\n(select.*?)```", (CHECKOUT / "docs" / "deploy.md").read_text(), re.DOTALL)
    with warehouse.connect() as connection:
        rows = connection.execute(query).fetchall()
    assert rows
    assert all(size.endswith(("bytes", "kB", "MB")) for _, size, _ in rows)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_job_of_a_page_exists(page: Path) -> None:
    assert unknown(page.read_text()) == set()


def test_every_command_and_job_of_a_message_exists() -> None:
    for kind in Kind:
        _, advice = words_of(kind, DAYS)
        assert unknown(re.sub(r"warehouse ([a-z-]+)", r"`warehouse \1`", advice)) == set()


def test_the_query_of_a_message_finds_the_rules_that_lines_break(warehouse: Warehouse) -> None:
    _, advice = words_of(Kind.REJECTED_LINES, DAYS)
    [query] = re.findall(r"(select .*? desc)\.", advice)
    assert "'2026-10-07' and landing_date < '2026-10-10'" in query
    with warehouse.connect() as connection:
        assert connection.execute(query).fetchall() == []


def unknown(text: str) -> set[str]:
    """Return commands of the warehouse, and jobs, that a text names and that do not exist."""
    commands = set(re.findall(r"(?:`|\n|exec daemon )warehouse ([a-z]+(?:-[a-z]+)*)", text))
    jobs = set(re.findall(r"\bjob `?([a-z_]+_[a-z_]+)", text))
    known = {job.name for job in definitions().get_repository_def().get_all_jobs()}
    return commands - command_line.commands.keys() | jobs - known
