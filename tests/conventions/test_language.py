"""The language of code, SQL and documents: field terms instead of private ones, plain docstrings, no stale pointers."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conventions.test_repository import FILES, MODULES, OWN_MODULES, name_of
from warehouse.connection import CHECKOUT

HERE = Path(__file__)
# Names and phrases that have given way to terms of the field. The right column stands in CHANGELOG.md and the glossary.
RETIRED = """
judge judges judged judging judgement judgements docket dockets contender contenders verdict verdicts told crowd crowds
crowded outbox intake
Judges Judged Docket Intake Outbox Marks Crowds Spelled Sealer MayPass OtherWindow Waiting TURN_BYTES
WORTH_STARTING_BYTES YIELD TOUCH_KEYS JUDGE MOVE_OUT MOVE_IN FIND_BUSY UNDER_WAY COARSER COARSER_CHECKS
_WORTH_LOOKING _Unacceptable Unacceptable _can_be _refuse_hidden _made_ahead _widen _look_at may_pass perhaps_address
busy_visitors crowded_minutes crowded_dates read_plain plain_instant plain_kind plain_ids plain_keys encode_plain
accept_carefully reject_unread hides_something can_be needs_a_look is_told
replace_window get_incremental_replace_window_sql refuse_other_schema_changes in_window_or_anew in_scope_or_anew
published_or_built just_before_scope first_day_carried_on last_day_carried_on halved_every list_of each_of
text_of distinct_of first_of join_whole_tables join_one_by_one add_column_that_is_read_back hold_writer enter_build
late_events_sensor events_exported rejected_lines_replayed encryption_key_rotated
creators_have_what_their_assets_have campaigns_have_what_their_assets_have asset_periods_show_their_days
active_users_show_their_days cohorts_show_their_days creator_lists_show_their_days license_fees_are_as_first_seen
rejections_stay_rare keys_stay_on_one_day reruns_change_nothing
int_entities_dated int_attribution_classified int_ad_spend_classified visitor_last_days visitor_activity
visitor_activity_days visitor_days names_license_only is_tail window_date counted_date
forget_the_dead diagnose Numbered Assigned Portion
"""
PHRASES = (
    "incremental_strategy", "ingestion.candidates", "ingestion.resolution", "ingestion.marketplace", "ingestion.export",
    "orchestration.demo", "orchestration.roles", "orchestration.embedded", "orchestration.gates", "lookback spread",
    "who does not want the rest", "the long way", "what came of it", "marts/bases",
)  # fmt: skip
# The contract's own words, and texts that quote it or that older versions have written.
EXEMPT = {"ledger", "reader", "law"}
QUOTES = (
    "tests/upgrade/", "tests/golden/", "CHANGELOG.md", "tests/conventions/test_language.py",
    "publishing/renamed_checks.py", "publishing/renamed_relations.py", "orchestration/instance/renamed_sensors.py",
    "tests/integration/publishing/test_renamed_checks.py", "tests/integration/publishing/test_renamed_relations.py",
    "tests/integration/orchestration/test_renamed_sensors.py",
)  # fmt: skip
TEXTS = {".py", ".sql", ".md", ".yml", ".yaml", ".toml", ".csv", ".json", ""}
OPENINGS = {"what", "who", "whose", "whoever", "whether", "the same"}


# Their texts name files of examples: those that CONTRIBUTING.md adds, and what tests write.
WITH_EXAMPLES = {"CONTRIBUTING.md", "tests"}


def retired() -> list[str]:
    return [name for name in RETIRED.split() if name not in EXEMPT]


def readable() -> Iterator[tuple[Path, str]]:
    for path in FILES:
        name = name_of(path)
        if (
            path.suffix in TEXTS
            and not name.startswith(QUOTES)
            and not name.startswith(("requirements", "dbt_project/seeds"))
        ):
            yield path, path.read_text(errors="replace")


def test_the_list_of_retired_names_is_long_enough_to_matter() -> None:
    assert len(retired()) + len(PHRASES) >= 120
    assert [name for name, count in Counter(retired()).items() if count > 1] == []


def test_no_retired_name_is_used() -> None:
    # Words of a sentence in any letter case; identifiers as they were written.
    words = {name for name in retired() if name.isalpha() and name.islower()}
    names = [name for name in retired() if name not in words]
    any_word, any_name, any_phrase = ("|".join(map(re.escape, some)) for some in (words, names, PHRASES))
    pattern = re.compile(rf"(?<![\w.-])(?:(?i:{any_word})|{any_name})(?!\w)|{any_phrase}")
    found = [
        f"{name_of(path)}:{number}: {match[0]}"
        for path, text in readable()
        for number, line in enumerate(text.splitlines(), 1)
        for match in pattern.finditer(line)
    ]
    assert found == []


def docstrings() -> Iterator[tuple[Path, int, str]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text:
                    yield path, getattr(node, "lineno", 1), text


def test_a_docstring_opens_with_a_verb_or_a_noun() -> None:
    found = [
        f"{name_of(path)}:{number}: {text.splitlines()[0][:60]}"
        for path, number, text in docstrings()
        if any(text.lower().startswith((f"{opening} ", f"{opening},")) for opening in OPENINGS)
    ]
    assert found == []


def test_a_file_that_a_text_names_exists() -> None:
    existing = {name_of(path) for path in FILES} | {path.name for path in FILES}
    named = re.compile(r"(?<![\w/.<{*-])((?:[a-z_][\w-]*/)*[a-z_][\w]*\.(?:py|sql|yml|yaml|toml|md))(?![\w*.])")
    found = [
        f"{name_of(path)}: {name}"
        for path, text in readable()
        if path.suffix in {".py", ".md", ".sql"} and path.relative_to(CHECKOUT).parts[0] not in WITH_EXAMPLES
        for name in prose_names(path, text, named)
        if not any(file == name or file.endswith(f"/{name}") for file in existing)
    ]
    assert found == []


def prose_names(path: Path, text: str, named: re.Pattern[str]) -> set[str]:
    """Return the file names in docstrings and comments of Python, and in all of any other text."""
    if path.suffix != ".py":
        return set(named.findall(text))
    tree = ast.parse(text)
    prose = [
        ast.get_docstring(node) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    prose += re.findall(r"(?m)^\s*#(.*)$", text)
    return set(named.findall("\n".join(prose)))


@pytest.mark.parametrize(("folder", "most"), [("packages", 250), ("tests", 300)])
def test_modules_are_short(folder: str, most: int) -> None:
    modules = OWN_MODULES if folder == "packages" else [m for m in MODULES if m not in OWN_MODULES]
    lines = {name_of(module): len(module.read_text().splitlines()) for module in modules}
    assert {name: count for name, count in lines.items() if count > most} == {}


def test_sql_models_are_short() -> None:
    lines = {
        name_of(path): len(path.read_text().splitlines())
        for path in FILES
        if path.suffix == ".sql" and "models" in path.parts
    }
    assert {name: count for name, count in lines.items() if count > 200} == {}


def test_no_two_modules_of_a_package_share_a_name() -> None:
    names = Counter((module.relative_to(CHECKOUT).parts[0], module.stem) for module in OWN_MODULES)
    allowed = {"__init__", "__main__", "schema", "loading"}
    assert [f"{package}: {name}" for (package, name), count in names.items() if count > 1 and name not in allowed] == []


def test_the_root_of_orchestration_is_short() -> None:
    assert len(list((CHECKOUT / "orchestration").glob("*.py"))) <= 12
