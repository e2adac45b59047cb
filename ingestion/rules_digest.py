"""Digest of the rules that decide what becomes of a line: code, lists, settings, and the libraries that know patterns.

The ledger keeps the digest of each load (ops.loads.rules_digest), so that a load under other rules can be found.
Comments, docstrings and line breaks do not count: a syntax tree has none. Neither does code that decides how quickly
a line is read, or which of several copies is stored, since that looks at all of raw whenever a day is loaded.
"""

import ast
import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from ingestion.encryption.props import PropEncryption
from ingestion.event_rules import EventRules

PACKAGE: Final = Path(__file__).parent
# Modules, and packages with all of their modules, that decide what an event is and what is stored of it.
RULE_MODULES: Final = (
    "attribution_table.py",
    "contract.py",
    "crawlers.py",
    "enrichment.py",
    "event_rules.py",
    "landing/lines.py",
    "landing/parquet.py",
    "normalization.py",
    "privacy.py",
    "validation",
)
# Libraries whose new versions bring other patterns: browsers, crawlers, numbering plans, checksums.
RULE_LIBRARIES: Final = (
    "crawler-user-agents",
    "phonenumberslite",
    "python-stdnum",
    "ua-parser",
    "ua-parser-builtins",
)
# 128 bits: two sets of rules never share a digest by chance.
_DIGITS: Final = 32


def rules_digest(*, rules: EventRules, start_date: date, encryption: PropEncryption | None) -> str:
    """Return the digest of all that decides what becomes of a line.

    The keys that encrypt props do not count: the job `rotate_encryption_key` changes what they have encrypted.
    """
    settings = {
        "code": code_digest(),
        "libraries": _library_versions(),
        "rules": rules,
        "start_date": start_date,
        "encrypted_props": () if encryption is None else encryption.names,
    }
    return hashlib.sha256(_spelled(settings).encode()).hexdigest()[:_DIGITS]


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Return the digest of the code of RULE_MODULES; computed once a process, as it takes some 0.1 s."""
    digest = hashlib.sha256()
    for path in rule_files():
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0{syntax(path.read_text(encoding='utf-8'))}\0".encode())
    return digest.hexdigest()


def rule_files(package: Path = PACKAGE, modules: Iterable[str] = RULE_MODULES) -> list[Path]:
    """Return the files of RULE_MODULES, sorted. Raises FileNotFoundError when one is listed that is not there."""
    files: list[Path] = []
    for name in modules:
        path = package / name
        if not path.exists():
            raise FileNotFoundError(f"{name} is listed in RULE_MODULES and is not there: correct the list")
        files += path.rglob("*.py") if path.is_dir() else [path]
    return sorted(files)


def syntax(source: str) -> str:
    """Return a module's code as its syntax tree, which has no comments and here no docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _has_docstring(
            node
        ):
            del node.body[0]
    return ast.dump(tree)


def _has_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return ast.get_docstring(node, clean=False) is not None


@lru_cache(maxsize=1)
def _library_versions() -> tuple[tuple[str, str], ...]:
    return tuple(_installed(RULE_LIBRARIES))


def _installed(libraries: Iterable[str]) -> Iterator[tuple[str, str]]:
    for library in libraries:
        try:
            yield library, version(library)
        except PackageNotFoundError:
            continue


def _spelled(value: Any) -> str:
    """Return a text that is the same for equal values, in whichever order their sets and mappings are."""
    if value is None or isinstance(value, bool | int | float | str | bytes | date):
        return repr(value)
    if dataclasses.is_dataclass(value):
        return _spelled({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_spelled(key)}: {_spelled(of)}' for key, of in value.items()))}}}"
    if isinstance(value, frozenset | set):
        return f"{{{', '.join(sorted(map(_spelled, value)))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_spelled, value))}]"
    raise TypeError(f"a rule of type {type(value).__name__} has no spelling of its own here: give it one")
