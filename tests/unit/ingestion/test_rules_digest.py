"""What changes the digest of the rules for a line, and what does not."""

import ast
import base64
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pytest

from ingestion import rules_digest as digests
from ingestion.encryption.props import PropEncryption
from ingestion.encryption.tokens import KeyRing
from ingestion.event_rules import EventRules
from ingestion.rules_digest import PACKAGE, rule_files, rules_digest, syntax

RULES = EventRules.from_seeds()
START = date(2026, 10, 1)
KEYS = [base64.urlsafe_b64encode(bytes([number]) * 64).decode() for number in (1, 2)]
# Modules that the validator imports and that say nothing of what becomes of a line.
NO_RULES = {
    "ingestion": "a package without code",
    "ingestion.encryption": "a package without code",
    "ingestion.encryption.tokens": "how a value is encrypted, which a rotation of the keys changes",
    "ingestion.encryption.props": "which props are encrypted: the names are in the digest",
    "ingestion.window": "days",
    "ingestion.landing": "a package without code",
}


def test_a_comment_a_docstring_and_a_line_break_leave_the_digest() -> None:
    plain = 'def limit(text: str) -> int:\n    """Count."""\n    return len(text)\n'
    told = (
        '"""A module."""\n# A comment.\ndef limit(\n    text: str,\n) -> int:\n'
        '    """Count it."""\n    return len(text)  # why\n'
    )
    assert syntax(plain) == syntax(told)
    assert syntax(plain) != syntax(plain.replace("len(text)", "len(text) + 1"))


def test_a_text_that_is_no_docstring_counts() -> None:
    assert syntax("PATTERN = 'bot'") != syntax("PATTERN = 'crawler'")


def test_code_lists_and_settings_change_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(rules: EventRules = RULES, start: date = START, encryption: PropEncryption | None = None) -> str:
        return rules_digest(rules=rules, start_date=start, encryption=encryption)

    before = of()
    changed = {
        "placeholders": of(replace(RULES, placeholder_ids=RULES.placeholder_ids | {"nobody"})),
        "start": of(start=date(2026, 10, 2)),
        "encrypted props": of(encryption=PropEncryption(["legalName"], KeyRing.parse(KEYS[0]))),
    }
    monkeypatch.setattr(digests, "code_digest", lambda: "other code")
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
        "from datetime import date; from ingestion.event_rules import default_rules;"
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


def test_every_module_by_which_lines_are_validated_is_in_the_digest() -> None:
    known = {path.resolve() for path in rule_files()}
    forgotten = {
        module: path
        for module, path in _imported("ingestion.validation.validator", {}).items()
        if module not in NO_RULES and path.resolve() not in known and path.read_text().strip()
    }
    assert forgotten == {}, "list them in ingestion/rules_digest.py, RULE_MODULES, or in NO_RULES with the reason"


def test_a_listed_module_that_is_gone_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.py is listed in RULE_MODULES"):
        rule_files(PACKAGE, ["gone.py"])


def _imported(module: str, found: dict[str, Path]) -> dict[str, Path]:
    """Find the modules of this package that one imports, by way of others too."""
    spec = find_spec(module)
    if module in found or spec is None or spec.origin is None:
        return found
    found[module] = Path(spec.origin)
    for name in _names(ast.parse(found[module].read_text())):
        if name.split(".")[0] == "ingestion":
            _imported(name, found)
    return found


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            # A module of the package, as in "from ingestion import ledger".
            yield from (name for alias in node.names if (name := f"{node.module}.{alias.name}") and _is_module(name))


def _is_module(name: str) -> bool:
    path = PACKAGE.parent / Path(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()
