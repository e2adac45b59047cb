"""Digest of the rules for lines: code, lists, settings, and libraries of patterns.

ops.loads.rules_digest keeps the digest of each load, so that loads under other rules are found. Comments, docstrings
and line breaks do not count: a syntax tree has none. Code that chooses among copies does not count either: it reads all
of raw whenever a day is loaded.
"""

import ast
import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from ingestion.encryption.props import PropEncryption
from ingestion.validation_lists import EventRules

PACKAGE: Final = Path(__file__).parent
# The modules that produce and validate lines. They count with all that they import from this package.
LINE_ROOTS: Final = ("landing.parquet", "validation.validator")
# The modules that parse rows of ad spend.
SPEND_ROOTS: Final = ("ad_spend.csv_files", "utm_normalization", "redaction.redactor")
# Imported modules that decide nothing about a line: storage, and the encryption of a value.
WITHOUT_RULES: Final = frozenset(
    {"encryption.props", "encryption.tokens", "landing.files", "landing.object_store", "landing.storage",
     "landing.storage_url"}
)  # fmt: skip
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
_DOCUMENTED: Final = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def rules_digest(*, rules: EventRules, start_date: date, encryption: PropEncryption | None) -> str:
    """Return the digest of the rules for lines.

    The keys that encrypt props do not count: the job `rotate_encryption_key` changes what they have encrypted.
    """
    encrypted_props = () if encryption is None else encryption.names
    return _digest(LINE_ROOTS, rules, start_date=start_date, encrypted_props=encrypted_props)


def spend_rules_digest(rules: EventRules) -> str:
    """Return the digest of the rules for rows of ad spend."""
    return _digest(SPEND_ROOTS, rules)


def _digest(roots: tuple[str, ...], rules: EventRules, **settings: Any) -> str:
    settings |= {"code": code_digest(roots), "libraries": _library_versions(), "rules": rules}
    return hashlib.sha256(_canonical_text(settings).encode()).hexdigest()[:_DIGITS]


@lru_cache(maxsize=2)
def code_digest(roots: tuple[str, ...]) -> str:
    """Return the digest of the code that counts. Computed once a process: it takes 0.2 s."""
    digest = hashlib.sha256()
    for module, tree in sorted(rule_modules(roots).items()):
        digest.update(f"{module}\0{syntax(tree)}\0".encode())
    return digest.hexdigest()


def rule_modules(roots: tuple[str, ...] = LINE_ROOTS, package: Path = PACKAGE) -> dict[str, ast.Module]:
    """Return the modules that count, by their names inside the package."""
    found: dict[str, ast.Module] = {}
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        path = _file(package, module)
        if module in found or module in WITHOUT_RULES or path is None:
            continue
        found[module] = ast.parse(path.read_text(encoding="utf-8"))
        waiting += _imported(found[module], package.name)
    return found


def _file(package: Path, module: str) -> Path | None:
    path = package.joinpath(*module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.exists()), None)


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the modules of the package that a module imports, and imported names that may be modules."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name.removeprefix(f"{package}.") for name in names if name.startswith(f"{package}."))


def syntax(tree: ast.Module) -> str:
    """Return a module's syntax tree as text, without docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree)


@lru_cache(maxsize=1)
def _library_versions() -> tuple[tuple[str, str], ...]:
    found = []
    for library in RULE_LIBRARIES:
        with suppress(PackageNotFoundError):
            found.append((library, version(library)))
    return tuple(found)


def _canonical_text(value: Any) -> str:
    """Return a text that is equal for equal values, independent of the order of sets and mappings."""
    if value is None or isinstance(value, bool | int | float | str | bytes | date):
        return repr(value)
    if dataclasses.is_dataclass(value):
        return _canonical_text({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_canonical_text(key)}: {_canonical_text(of)}' for key, of in value.items()))}}}"
    if isinstance(value, frozenset | set):
        return f"{{{', '.join(sorted(map(_canonical_text, value)))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_canonical_text, value))}]"
    raise TypeError(f"a rule of type {type(value).__name__} has no canonical text: add its type to _canonical_text")
