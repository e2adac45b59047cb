"""Conventions for the files of the repository: their size, their names, and what none of them may hold."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from warehouse.connection import CHECKOUT
from warehouse.settings import Settings

# A module that grows longer has two subjects.
MAX_LINES = 300
PACKAGES = (
    "alerting",
    "attribution",
    "dashboards",
    "ingestion",
    "orchestration",
    "publishing",
    "quality_checks",
    "reporting",
    "sample_data",
    "warehouse",
)
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
# Set by the programs that we start, for each other.
NOT_OURS = {"PATH"}
# Put together, so that this file does not hold them.
FORBIDDEN = {
    "the address of a package index": re.compile(
        "py" + r"pi\.(org|io)|" + "python" + r"hosted\.org|--(extra-)?index" + "-url"
    ),
    "a path of one machine": re.compile(r"(?<![\w.])/(work|root|opt)" + r"/\w|/ho" + r"me/\w+/|/Use" + r"rs/\w+/"),
    "a private key": re.compile("-----BEGIN [A-Z ]*PRIVATE" + " KEY"),
}  # fmt: skip


def repository_files() -> list[Path]:
    """Every file that git knows or would take."""
    listed = subprocess.run(
        ["/usr/bin/env", "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
        text=True,
    )
    paths = (CHECKOUT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


FILES = repository_files()
MODULES = [path for path in FILES if path.suffix == ".py"]
OWN_MODULES = [path for path in MODULES if path.relative_to(CHECKOUT).parts[0] in PACKAGES]


def name_of(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def test_modules_are_short() -> None:
    lines = {name_of(module): len(module.read_text().splitlines()) for module in OWN_MODULES}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_a_module_opens_with_what_belongs_in_it() -> None:
    assert [name_of(module) for module in MODULES if not ast.get_docstring(ast.parse(module.read_text()))] == []


def test_a_module_is_named_by_its_subject() -> None:
    parts = {name_of(module): module.relative_to(CHECKOUT).with_suffix("").parts for module in MODULES}
    assert [name for name, words in parts.items() if VAGUE_NAMES & set(words)] == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = [
        f"{name_of(path)}:{number}"
        for path in FILES
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == []


def test_the_example_lists_exactly_the_variables_that_are_read() -> None:
    listed = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE))
    assert listed == variables_that_are_read()


def variables_that_are_read() -> set[str]:
    read = {name.upper() for name in Settings.model_fields}
    for module in OWN_MODULES:
        read |= set(re.findall(r"(?:environ(?:ment)?\.get|EnvVar)\(\s*\"([A-Z_]+)\"", module.read_text()))
    read |= set(re.findall(r"env_var\('([A-Z_]+)'", (CHECKOUT / "dbt_project" / "profiles.yml").read_text()))
    read |= set(re.findall(r"env: ([A-Z_]+)", (CHECKOUT / ".dagster" / "dagster.yaml").read_text()))
    return read - NOT_OURS


def test_a_series_of_days_is_a_date_and_whole_numbers() -> None:
    stepped = re.compile(r"generate_series\((?:[^()]|\([^()]*\))*?(?:interval\b|'\s*\d+ (?:day|week|month)s?')")
    found = [
        name_of(path) for path in FILES if path.suffix in (".py", ".sql", ".yml") and stepped.search(path.read_text())
    ]
    assert found == [], "a step of an interval passes through the session's local midnights, of which some do not exist"


def test_a_date_is_truncated_without_a_time_zone() -> None:
    truncated = re.compile(r"date_trunc\(\s*'[^']*(?:day|week|month|unit)[^']*',\s*((?:[^(),]|\([^()]*\))*)")
    found = [
        f"{name_of(path)}: {argument}"
        for path in FILES
        if path.suffix in (".py", ".sql", ".yml")
        for argument in truncated.findall(path.read_text())
        if "timestamp" not in argument
    ]
    assert found == [], "a date becomes the midnight of the session's time zone first; cast it to timestamp"


def test_the_lock_names_every_dependency_with_hashes_and_no_place() -> None:
    lock = (CHECKOUT / "requirements.lock").read_text()
    assert "://" not in lock
    assert " @ " not in lock
    assert not re.search(r"^-", lock, re.MULTILINE)
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    locked = {re.split(r"[=\[ ;]", entry)[0] for entry in entries}
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert {re.split(r"[=<>\[ ;]", name)[0].lower().replace("_", "-") for name in wanted} - locked == set()


@pytest.mark.parametrize("page", ["README.md", "docs/start.md", "docs/operate.md", "docs/develop.md"])
def test_every_make_command_in_the_documents_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^|\(|\$ )make (?:-s )?([a-z]+)", (CHECKOUT / page).read_text(), re.MULTILINE))
    assert named <= targets
    if page == "README.md":
        assert {"demo", "test", "ui", "stop", "dsn", "env", "lint"} <= named


@pytest.mark.parametrize("page", [path for path in FILES if path.suffix == ".md"], ids=name_of)
def test_a_document_links_to_files_that_exist(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
