"""Versions of models: what makes a model and its descendants stale, and what does not. dbt itself is not run."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from publishing import dbt_manifest
from publishing.loaded_version import PROJECT_DIR
from publishing.model_versions import PythonTable, model_versions, python_syntax
from publishing.sql_tokens import sql_tokens

MODULE = "def fit(rows):\n    return sum(rows)\n"


class Project:
    """A small dbt project: two models, one macro that calls another, a seed, and a table that Python writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seed = folder / "types.csv"
        self.seed.write_text("type\na\n")
        self.module = folder / "fits.py"
        self.module.write_text(MODULE)
        self.variables: dict[str, Any] = {"days": 30, "unread": 1}
        self.macros = {
            "rate": "{% macro rate(a, b) %}{{ a }} / {{ whole(b) }}{% endmacro %}",
            "whole": "{% macro whole(b) %}nullif({{ b }}, 0){% endmacro %}",
            "unused": "{% macro unused() %}1{% endmacro %}",
        }
        self.models = {
            "events": "select day, 'a b' as kind from {{ ref('types') }}",
            "daily": "select day, {{ rate('x', 'y') }} as r from {{ ref('events') }} limit {{ var('days') }}",
            "credits": "select * from {{ source('fits', 'fitted_values') }}",
            "other": "select 1 as one",
        }
        self.columns = {"daily": {"day": "date", "r": "numeric"}}

    def manifest(self) -> dict[str, Any]:
        macros = {
            f"macro.shop.{name}": {
                "name": name,
                "package_name": "shop",
                "macro_sql": text,
                "depends_on": {"macros": self._called(text, besides=name)},
            }
            for name, text in self.macros.items()
        }
        nodes: dict[str, Any] = {
            f"model.shop.{name}": {
                "name": name,
                "resource_type": "model",
                "raw_code": text,
                "config": {
                    "materialized": "windowed",
                    "event_time": "day",
                    "meta": {},
                    "contract": {"enforced": name == "daily"},
                },
                "columns": {
                    column: {"name": column, "data_type": kind, "description": "a column"}
                    for column, kind in self.columns.get(name, {}).items()
                },
                "depends_on": {"macros": self._called(text), "nodes": self._parents(text)},
            }
            for name, text in self.models.items()
        }
        nodes["seed.shop.types"] = {"name": "types", "resource_type": "seed", "original_file_path": "types.csv"}
        sources = {"source.shop.fits.fitted_values": {"name": "fitted_values"}}
        return {"metadata": {"project_name": "shop"}, "macros": macros, "nodes": nodes, "sources": sources}

    def versions(self) -> dict[str, str]:
        fits = PythonTable([self.module], ["daily"])
        return model_versions(
            self.manifest(), project=self.folder, variables=self.variables, python={"fitted_values": fits}
        )

    def _called(self, text: str, besides: str = "") -> list[str]:
        return [f"macro.shop.{name}" for name in self.macros if name != besides and f"{name}(" in text]

    def _parents(self, text: str) -> list[str]:
        read = re.findall(r"ref\('(\w+)'\)", text)
        parents = [f"seed.shop.{name}" if name == "types" else f"model.shop.{name}" for name in read]
        return parents + (["source.shop.fits.fitted_values"] if "source(" in text else [])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def edited(part: str, name: str, old: str, new: str) -> Callable[[Project], None]:
    def edit(project: Project) -> None:
        texts = getattr(project, part)
        assert old in texts[name]
        texts[name] = texts[name].replace(old, new)

    return edit


def renamed_macro(project: Project) -> None:
    project.macros = {name: text.replace("whole", "not_zero") for name, text in project.macros.items()}
    project.macros["not_zero"] = project.macros.pop("whole")


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(edited("models", "daily", "select day", "-- the day's rate\nselect day"), id="SQL comment"),
        pytest.param(edited("models", "daily", "select day", "{# the rate #}select /* day */ day"), id="comments"),
        pytest.param(edited("models", "daily", "day, {{ rate(", "day\n  ,\n{{  rate(  "), id="white space"),
        pytest.param(edited("macros", "rate", "{{ a }} /", "{{a}}  /"), id="white space in a macro"),
        pytest.param(edited("macros", "unused", "1", "2"), id="unused macro"),
        pytest.param(renamed_macro, id="renamed macro"),
        pytest.param(lambda project: project.variables.update(unread=2), id="var that no model reads"),
        pytest.param(lambda project: project.columns.update(events={"day": "date"}), id="documented column"),
        pytest.param(
            lambda project: project.module.write_text('"""Fits."""\n# of sums\n' + MODULE), id="docstring of Python"
        ),
    ],
)
def test_what_decides_no_row_makes_nothing_stale(project: Project, edit: Callable[[Project], None]) -> None:
    before = project.versions()
    edit(project)
    assert project.versions() == before


@pytest.mark.parametrize(
    ("edit", "stale"),
    [
        (edited("models", "events", "'a b'", "'a  b'"), {"events", "daily", "fitted_values", "credits"}),
        (edited("models", "daily", " as r", " as  r2"), {"daily", "fitted_values", "credits"}),
        (edited("models", "daily", "'x', 'y'", "'x', 'y '"), {"daily", "fitted_values", "credits"}),
        (edited("macros", "whole", ", 0", ", 1"), {"daily", "fitted_values", "credits"}),
        (lambda project: project.variables.update(days=31), {"daily", "fitted_values", "credits"}),
        (lambda project: project.seed.write_text("type\nb\n"), {"events", "daily", "fitted_values", "credits"}),
        (lambda project: project.columns["daily"].update(r="bigint"), {"daily", "fitted_values", "credits"}),
        (lambda project: project.module.write_text(MODULE.replace("sum", "max")), {"fitted_values", "credits"}),
        (edited("models", "other", "1", "2"), {"other"}),
    ],
    ids=["space in a literal", "SQL", "space in a Jinja text", "macro", "var", "seed", "type", "Python", "one model"],
)
def test_a_change_makes_its_model_and_what_depends_on_it_stale(
    project: Project, edit: Callable[[Project], None], stale: set[str]
) -> None:
    before = project.versions()
    edit(project)
    after = project.versions()
    assert {name for name in after if after[name] != before[name]} == stale


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select a b", "select ab"),
        ("select '{{ f('a  b') }} x  y'", "select '{{ f('a  b') }} x y'"),
        ("{{ a }}_days", "{{ a }} _days"),
        ("select 1 .5", "select 1.5"),
        ("a < = b", "a <= b"),
        ("select $$a  b$$", "select $$a b$$"),
        ('select "a  b"', 'select "a b"'),
        ("select '-- a'", "select '-- b'"),
        ("-- {{ once() }}\nselect 1", "-- {{ twice() }}\nselect 1"),
    ],
)
def test_texts_that_may_give_other_rows_have_other_tokens(one: str, other: str) -> None:
    assert list(sql_tokens(one)) != list(sql_tokens(other))


def test_every_model_of_the_project_has_a_version_and_so_have_the_fitted_values() -> None:
    models = {node["name"] for node in dbt_manifest.manifest()["nodes"].values() if node["resource_type"] == "model"}
    assert set(dbt_manifest.project_version().versions) == {*models, "attribution_channel_values"}


def test_the_timeout_of_sessions_makes_what_depends_on_sessions_stale_and_no_more() -> None:
    manifest = dbt_manifest.manifest()
    before = dbt_manifest.project_version().versions
    variables = {**dbt_manifest.variables(), "session_timeout_minutes": 45}
    after = dbt_manifest.project_version_of(manifest, variables, PROJECT_DIR).versions
    stale = {name for name in after if after[name] != before[name]}
    parents = {
        node["name"]: {parent.rpartition(".")[2] for parent in node["depends_on"]["nodes"]}
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    parents["attribution_channel_values"] = {"int_conversion_paths", "int_sessions"}
    reads_timeout = stale - {name for name in stale if parents[name] & stale}
    assert "int_events_sessionized" in reads_timeout
    assert {"stg_tracking__events", "int_licenses", "int_identity_resolved"}.isdisjoint(stale)
    assert {name for name in parents if parents[name] & stale} <= stale


def test_a_description_of_the_project_makes_nothing_stale() -> None:
    manifest = json.loads(json.dumps(dbt_manifest.manifest()))
    for node in manifest["nodes"].values():
        node["description"] = "another text"
        for column in node.get("columns", {}).values():
            column["description"] = "another text"
    described = dbt_manifest.project_version_of(manifest, dbt_manifest.variables(), PROJECT_DIR)
    assert described == dbt_manifest.project_version()


def test_syntax_of_python_keeps_all_but_comments_and_docstrings(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("class A:\n    x = 1\n")
    before = python_syntax(module)
    module.write_text('class A:\n    """A class."""\n\n    x = 1  # one\n')
    assert python_syntax(module) == before
    module.write_text("class A:\n    x = 2\n")
    assert python_syntax(module) != before
