"""The digest of the rules for a line: which changes count."""

import ast
import base64
import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest

from ingestion import rules_digest as digests
from ingestion.encryption.props import PropEncryption
from ingestion.encryption.tokens import KeyRing
from ingestion.rules_digest import (
    PACKAGE,
    SPEND_ROOTS,
    WITHOUT_RULES,
    rule_modules,
    rules_digest,
    spend_rules_digest,
    syntax,
)
from ingestion.validation_lists import EventRules

RULES = EventRules.from_seeds()
START = date(2026, 10, 1)
KEYS = [base64.urlsafe_b64encode(bytes([number]) * 64).decode() for number in (1, 2)]


def test_a_comment_a_docstring_and_a_line_break_leave_the_digest() -> None:
    plain = 'def limit(text: str) -> int:\n    """Count."""\n    return len(text)\n'
    documented = (
        '"""A module."""\n# A comment.\ndef limit(\n    text: str,\n) -> int:\n'
        '    """Count it."""\n    return len(text)  # why\n'
    )
    assert code(plain) == code(documented)
    assert code(plain) != code(plain.replace("len(text)", "len(text) + 1"))


def test_a_text_that_is_no_docstring_counts() -> None:
    assert code("PATTERN = 'bot'") != code("PATTERN = 'crawler'")


def test_code_lists_and_settings_change_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(rules: EventRules = RULES, start: date = START, encryption: PropEncryption | None = None) -> str:
        return rules_digest(rules=rules, start_date=start, encryption=encryption)

    before = of()
    changed = {
        "placeholders": of(replace(RULES, placeholder_ids=RULES.placeholder_ids | {"nobody"})),
        "start": of(start=date(2026, 10, 2)),
        "encrypted props": of(encryption=PropEncryption(["legalName"], KeyRing.parse(KEYS[0]))),
    }
    monkeypatch.setattr(digests, "code_digest", lambda _: "other code")
    changed["code"] = of()
    assert len({before, *changed.values()}) == 1 + len(changed), changed


def test_another_key_and_another_order_leave_the_digest() -> None:
    digest = {
        rules_digest(rules=RULES, start_date=START, encryption=PropEncryption(names, KeyRing.parse(key)))
        for key in KEYS
        for names in (["legalName", "taxNumber"], ["tax_number", "LEGAL-NAME"])
    }
    assert len(digest) == 1


def test_the_digest_is_the_same_in_every_process() -> None:
    code = (
        "from datetime import date; from ingestion.validation_lists import default_rules;"
        "from ingestion.rules_digest import rules_digest;"
        f"print(rules_digest(rules=default_rules(), start_date=date({START.year}, {START.month}, {START.day}),"
        " encryption=None))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert said == {rules_digest(rules=RULES, start_date=START, encryption=None)}


def test_every_module_by_which_lines_are_read_and_validated_counts() -> None:
    counted = rule_modules()
    assert {
        "contract", "validation_lists", "landing.lines", "landing.parquet", "user_agents", "utm_normalization",
        "validation.errors", "validation.event_record", "validation.key_normalization", "validation.validator",
    } <= counted.keys()  # fmt: skip
    assert not counted.keys() & WITHOUT_RULES
    # Loading and resolution look at all of raw whenever a day is loaded.
    assert not [module for module in counted if module.startswith(("deduplication", "loading"))]


def test_the_code_for_names_of_campaigns_counts_for_ad_spend() -> None:
    modules = rule_modules(SPEND_ROOTS).keys()
    assert {"ad_spend.csv_files", "ad_spend.csv_rows", "redaction.redactor", "utm_normalization"} <= modules
    other = replace(RULES, hash_key=b"another")
    assert spend_rules_digest(RULES) == spend_rules_digest(replace(RULES)) != spend_rules_digest(other)


def test_a_module_that_is_said_to_have_no_rules_is_there() -> None:
    assert [name for name in WITHOUT_RULES if not (PACKAGE / f"{name.replace('.', '/')}.py").exists()] == []


def code(source: str) -> str:
    return syntax(ast.parse(source))
