"""The README's tables lead to files that exist, every page of the docs is linked, and so is every heading named."""

import re
from pathlib import Path

import pytest

from tests.conventions.test_repository import FILES, name_of
from tests.conventions.test_repository import PACKAGES as OWN_PACKAGES
from warehouse.connection import CHECKOUT

README = (CHECKOUT / "README.md").read_text()
WHERE_IS = re.findall(
    r"^\| (.+?) \| (.+) \|$", README.partition("## Where is…?")[2].partition("\n## ")[0], re.MULTILINE
)
PAGES = [path for path in FILES if path.suffix == ".md"]
# A path of this repository, with a folder: `ingestion/schema.py`, `docs/reference`.
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")
# Folders whose files git knows; Dagster writes logs into .dagster.
PACKAGES = {name_of(path).split("/")[0] for path in FILES} - {".dagster"}


def paths_in(text: str) -> list[str]:
    return [path for path in PATH.findall(text) if path.split("/")[0] in PACKAGES]


def test_the_readme_is_short_and_says_where_things_are() -> None:
    assert len(README.splitlines()) <= 170
    rows = [row for row in WHERE_IS if not row[0].startswith(("where is", "-"))]
    assert len(rows) >= 20
    assert [question for question, answer in rows if not paths_in(answer)] == []


def test_the_opening_of_the_readme_names_every_folder_of_code() -> None:
    opening = README.splitlines()[:60]
    folders = {f"{package}/" for package in (*OWN_PACKAGES, "dbt_project", "tests", "docs")}
    assert {line.split(" ")[0] for line in opening} >= folders
    assert WHERE_IS[-1][0] in "\n".join(opening), "a reader of the first screen misses the end of the table"


# The changelog names files of older versions, and the guide the ones that its reader adds.
OF_NOW = [page for page in PAGES if name_of(page) not in ("CHANGELOG.md", "CONTRIBUTING.md")]


@pytest.mark.parametrize("page", OF_NOW, ids=name_of)
def test_a_path_in_a_document_exists(page: Path) -> None:
    assert [path for path in paths_in(page.read_text()) if not (CHECKOUT / path).exists()] == []


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_link_to_a_heading_finds_it(page: Path) -> None:
    missing = []
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text()):
        text = (page.parent / target).read_text() if target else page.read_text()
        if anchor not in {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}:
            missing.append(f"{target}#{anchor}")
    assert missing == []


def test_every_page_of_the_docs_is_linked_from_the_readme() -> None:
    docs = {name_of(page) for page in PAGES if name_of(page).startswith("docs/")}
    assert docs - set(re.findall(r"\]\(([^)#]+)", README)) == set()


def test_the_page_on_configuration_has_every_setting() -> None:
    setting = r"^#?([A-Z][A-Z_]+)="
    settings = re.findall(setting, (CHECKOUT / ".env.example").read_text(), re.MULTILINE)
    page = (CHECKOUT / "docs" / "reference" / "configuration.md").read_text()
    assert [name for name in settings if f"`{name}`" not in page] == []


def test_the_page_of_faults_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/\S+\.py)::(\w+)`", (CHECKOUT / "docs" / "reference" / "faults.md").read_text())
    assert len(named) >= 25
    assert [test for file, test in named if f"def {test}(" not in (CHECKOUT / file).read_text()] == []
