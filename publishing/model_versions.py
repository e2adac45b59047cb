"""Versions of models: digests of everything that decides the rows of a model, taken from dbt's manifest.

A version covers the tokens of the model (sql_tokens.py), the macros and vars that they reach, the seeds that it reads,
its columns and types, and the versions of the models above it. It leaves out comments, descriptions, tests, hooks of
dbt_project.yml, and the names of macros. The materialization is no part either: it decides when rows are written.
Python that decides rows counts by its syntax, without docstrings.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final, NamedTuple

from ingestion.rules_digest import syntax
from publishing.sql_tokens import sql_tokens

_Node = Mapping[str, Any]
# Settings of a model, beside its SQL, that decide its rows.
_SETTINGS: Final = ("materialized", "event_time")
# In place of the version of a model that a build leaves out, because a plan is not applied or not finished.
NOT_BUILT: Final = "not built"


class PythonTable(NamedTuple):
    """A table that Python writes from models, and dbt reads as a source: the modules that decide its rows."""

    modules: Sequence[Path]
    models: Sequence[str]


@dataclass(frozen=True, slots=True)
class ProjectVersion:
    """The versions of all models of a project, by name.

    `whole` are the models that every run rebuilds as a whole, whatever its days. For them only one day can be stale.
    `rollups` are the models of weeks, months and periods.
    """

    versions: Mapping[str, str]
    whole: Set[str]
    rollups: Set[str] = frozenset()

    @property
    def not_built(self) -> frozenset[str]:
        """Return the models that builds leave out, because a plan is not applied or not finished."""
        return frozenset(model for model, version in self.versions.items() if version == NOT_BUILT)

    @property
    def digest(self) -> str:
        """Return one version for all models."""
        return _digest(sorted(self.versions.items()))


def model_versions(
    manifest: Mapping[str, Any], *, project: Path, variables: Mapping[str, Any], python: Mapping[str, PythonTable]
) -> dict[str, str]:
    """Return the version of every model, and of every table that Python writes, by its name.

    Seeds are read from the folder `project`. `python` are the sources that Python writes, by their names.
    """
    macros = _Macros(manifest, variables)
    nodes = manifest["nodes"]
    models = {node["name"]: unique_id for unique_id, node in nodes.items() if node["resource_type"] == "model"}
    tables = {
        unique_id: python[node["name"]] for unique_id, node in manifest["sources"].items() if node["name"] in python
    }
    parents = {unique_id: nodes[unique_id]["depends_on"]["nodes"] for unique_id in models.values()}
    parents |= {unique_id: [models[name] for name in table.models] for unique_id, table in tables.items()}
    versions: dict[str, str] = {}
    for unique_id in TopologicalSorter(parents).static_order():
        above = {parent: versions[parent] for parent in parents.get(unique_id, ())}
        if unique_id in tables:
            versions[unique_id] = _digest([*map(python_syntax, tables[unique_id].modules), above])
        elif unique_id.startswith("model."):
            node = nodes[unique_id]
            versions[unique_id] = _digest([_settings(node), macros.tokens(node["raw_code"], node), above])
        elif unique_id.startswith("seed."):
            versions[unique_id] = _digest([(project / nodes[unique_id]["original_file_path"]).read_text()])
        else:
            versions[unique_id] = _digest([unique_id])
    return {unique_id.rpartition(".")[2]: versions[unique_id] for unique_id in sorted(parents)}


def python_syntax(module: Path) -> str:
    """Return the syntax tree of a module as text, without comments and docstrings."""
    return syntax(ast.parse(module.read_bytes()))


class _Macros:
    """Macros and vars of a project, which stand for their content in the tokens that call them."""

    def __init__(self, manifest: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        own = manifest["metadata"]["project_name"]
        self._macros: dict[str, _Node] = {
            unique_id: macro for unique_id, macro in manifest["macros"].items() if macro["package_name"] == own
        }
        self._variables = variables
        self._digests: dict[str, str] = {}

    def tokens(self, code: str, node: _Node) -> list[tuple[str, str]]:
        """Return the tokens of code, with the digests of macros in place of their names, and the values of vars."""
        called = {
            self._macros[unique_id]["name"]: unique_id
            for unique_id in node["depends_on"]["macros"]
            if unique_id in self._macros
        }
        result: list[tuple[str, str]] = []
        before = ""
        for kind, text in sql_tokens(code):
            if kind == "name" and before in ("macro", "materialization", "test"):
                kind, text = "name", ""
            elif kind == "name" and text in called:
                kind, text = "macro", self._digest_of(called[text])
            elif kind == "string" and text[1:-1] in self._variables:
                kind, text = "var", json.dumps(self._variables[text[1:-1]], sort_keys=True)
            result.append((kind, text))
            before = text
        return result

    def _digest_of(self, unique_id: str) -> str:
        if unique_id not in self._digests:
            # Ends the recursion of a macro that calls itself.
            self._digests[unique_id] = "recursive"
            macro = self._macros[unique_id]
            self._digests[unique_id] = _digest([self.tokens(macro["macro_sql"], macro)])
        return self._digests[unique_id]


def _settings(node: _Node) -> dict[str, Any]:
    config = node["config"]
    # Without a contract the columns of a property file are documentation.
    columns = [(column["name"], column["data_type"]) for column in node["columns"].values()]
    return {
        "name": node["name"],
        "columns": columns if config["contract"]["enforced"] else [],
        "scope": config["meta"].get("scope"),
        **{name: config.get(name) for name in _SETTINGS},
    }


def _digest(parts: Iterable[Any]) -> str:
    return hashlib.sha256(json.dumps(list(parts), sort_keys=True).encode()).hexdigest()[:16]
