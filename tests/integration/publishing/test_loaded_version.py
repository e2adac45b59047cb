"""A checkout that is edited while Dagster has it loaded: the loaded version runs, or nothing does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from publishing.loaded_version import PACKAGES
from tests.support.code_location import SETTINGS
from tests.support.dagster_runs import CHECKOUT

# A code server, and the processes of its runs: `parts` says what is done between one and the next.
CODE_SERVER = """
import multiprocessing, os, sys
from pathlib import Path

def run(answers):
    from publishing.loaded_version import CheckoutChanged
    try:
        from orchestration.definitions import definitions
        definitions()
        from ingestion.validation_lists import default_rules
        from orchestration.dbt import cli_resource as dbt
        from publishing import dbt_manifest
        types = (Path(dbt.warehouse_dbt().project_dir) / "seeds" / "event_types.csv").read_text()
        placeholders = default_rules().placeholder_ids
        answers.put((dbt_manifest.project_version().digest, "basket_filled" in types, "no-such-id" in placeholders))
    except CheckoutChanged as error:
        answers.put(str(error))

def answer():
    answers = spawn.Queue()
    process = spawn.Process(target=run, args=(answers,))
    process.start()
    print(answers.get(timeout=120), flush=True)
    process.join()

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    from orchestration.definitions import definitions
    definitions()
    answer()
    seeds = Path("dbt_project/seeds")
    for name, line in (("event_types", "basket_filled,basket,,,,\\n"), ("placeholder_ids", "no-such-id\\n")):
        with (seeds / f"{name}.csv").open("a") as file:
            file.write(line)
    answer()
    with Path("attribution/journeys.py").open("a") as file:
        file.write("\\n# edited\\n")
    answer()
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout, to be edited."""
    for name in (*PACKAGES, "dbt_project"):
        ignored = shutil.ignore_patterns("target", "logs", "__pycache__")
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=ignored)
    # Parsed by the tests of this checkout; parsing takes some seconds.
    copies = CHECKOUT / "dbt_project" / "target" / "loaded"
    if copies.is_dir():
        shutil.copytree(copies, tmp_path / "dbt_project" / "target" / "loaded")
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    (tmp_path / "code_server.py").write_text(CODE_SERVER)
    return tmp_path


def in_checkout(checkout: Path, *command: str) -> list[str]:
    """Run a program in the copy, on the copy's modules, and return its output."""
    outcome = subprocess.run(
        [sys.executable, *command],
        cwd=checkout,
        env={**os.environ, **SETTINGS, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.splitlines()


def test_a_run_works_with_the_version_that_was_loaded_whatever_is_edited_since(checkout: Path) -> None:
    before, after_seeds, after_code = in_checkout(checkout, "code_server.py")
    assert before == after_seeds
    assert before.endswith("False, False)")
    assert "has changed since Dagster loaded it" in after_code
    assert "Reload" in after_code

    version = "from publishing import dbt_manifest; print(dbt_manifest.project_version().digest)"
    (loaded_anew,) = in_checkout(checkout, "-c", version)
    assert loaded_anew not in before, "what is loaded now is the edited version"
