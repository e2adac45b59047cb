"""The command line before any warehouse is there: its help, its errors, and the little that it imports."""

import subprocess
import sys

import pytest

from orchestration.__main__ import warehouse
from publishing import gates
from tests.support.command_line import run_command

HEAVY = {"dagster", "dbt", "great_expectations", "numpy", "pandas", "psycopg", "pyarrow", "sample_data", "sqlalchemy"}


def test_the_help_lists_every_command_with_its_first_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    for name, command in warehouse.commands.items():
        assert f"{name} {command.short_help}" in shown
        assert (command.short_help or "").endswith("."), name


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from orchestration.__main__ import main; main(['--help']);"
        f" print('heavy:', *sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "heavy:"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["exec"], "Missing argument '-- COMMAND...'"),
        (["launch"], "No such command 'launch'"),
        (["roles", "add-login", "studio_1"], "give one of --creator, --brand"),
        (["bi", "add-login", "studio"], "give one of --creator, --brand and --analyst"),
        (
            ["bi", "add-login", "studio", "--analyst", "--brand", "brd_1"],
            "give one of --creator, --brand and --analyst",
        ),
        (["bi", "add-login", "a b", "--analyst"], "'a b' is no name for a login"),
        (["sample", "write"], "nothing to write: give --landing, --app-url, or both"),
        (["declare-silent-day", "2026-13-01", "--reason", "closed", "--name", "Ana"], "give the day as YYYY-MM-DD"),
    ],
)
def test_a_wrong_command_line_is_explained(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(*arguments) == 2
    assert message in capsys.readouterr().err


def test_the_checks_are_listed_with_gate_severity_asset_and_description(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("checks") == 0
    lines = capsys.readouterr().out.splitlines()
    listed = {line.split()[3]: line for line in lines}
    every = (*gates.RAW_CHECKS, *gates.BUILD_CHECKS, *gates.DASHBOARD_CHECKS)
    assert listed.keys() == {check.name for check in every} | {gates.DBT_TESTS}
    for check in every:
        assert listed[check.name].split()[:3] == [check.gate, check.severity, check.asset]
        assert listed[check.name].endswith(" ".join(check.description.split()))
