"""The conventions of the dbt project, over its manifest: a model that breaks one fails here and not in review."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml

from ingestion.contract import CLICK_IDS
from publishing import dbt_manifest, loaded_version
from quality_checks import platform

MAX_JOINS = 7
# What only one engine understands has its place in macros/compat.
ENGINE_TOKENS = ("::", "->", "@>", " ilike ", "distinct on", "regexp_", "string_agg", "array_agg", "generate_series",
                 "date_trunc", "lateral", "jsonb", "to_char", " ~ ")  # fmt: skip
# From a model, a table that is loaded, or a mart as it is published.
IMPORT = "(ref|source|published|current_version|previously_published)"
MANIFEST = dbt_manifest.manifest()


def nodes(*kinds: str) -> dict[str, Mapping[str, Any]]:
    return {node["name"]: node for node in MANIFEST["nodes"].values() if node["resource_type"] in kinds}


MODELS = nodes("model")
# Computed from models and not loaded: there is nothing to rename or cast before other models read them.
COMPUTED = {"source.marketplace.attribution.attribution_channel_values"}
WINDOWED = {name: model for name, model in MODELS.items() if model["config"]["materialized"] == "windowed"}
PUBLIC = {name: model for name, model in MODELS.items() if model["access"] == "public"}

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
every_windowed_model = pytest.mark.parametrize("model", WINDOWED.values(), ids=WINDOWED)
every_public_model = pytest.mark.parametrize("model", PUBLIC.values(), ids=PUBLIC)


def layer(model: Mapping[str, Any]) -> str:
    """The folder below models/ in which it stands."""
    return PurePosixPath(model["original_file_path"]).parts[1]


def scope(model: Mapping[str, Any]) -> str:
    """Return what a run replaces of it; see macros/scopes.sql."""
    return str(model["config"]["meta"].get("scope", "day"))


def parents(model: Mapping[str, Any], kind: str) -> set[str]:
    return {parent for parent in model["depends_on"]["nodes"] if parent.startswith(f"{kind}.")}


def checks_of(model: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (node for node in MANIFEST["nodes"].values() if node.get("attached_node") == model["unique_id"])


def sql_of(model: Mapping[str, Any]) -> str:
    """The model's text without comments and without what configures it."""
    text = re.sub(r"\{#.*?#\}|--[^\n]*", "", model["raw_code"], flags=re.DOTALL)
    return re.sub(r"\{\{ config\(.*?\) \}\}\n|\{%-? set .*?%\}\n", "", text, flags=re.DOTALL).strip()


def stages(model: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The common table expressions as name and body; a body ends with a parenthesis that stands at a line's start."""
    return re.findall(r"^(\w+) as \(\n(.*?)^\)", sql_of(model), flags=re.DOTALL | re.MULTILINE)


def test_the_project_has_models_of_every_kind() -> None:
    assert {layer(model) for model in MODELS.values()} == {"staging", "intermediate", "marts"}
    assert WINDOWED
    assert PUBLIC


@every_model
def test_staging_reads_what_is_loaded_and_nothing_else_reads_it(model: Mapping[str, Any]) -> None:
    if layer(model) == "staging":
        assert parents(model, "source")
        assert not parents(model, "model")
        assert parents(model, "source").isdisjoint(COMPUTED)
    else:
        assert parents(model, "source") <= COMPUTED


@every_model
def test_prefix_and_schema_say_the_layer(model: Mapping[str, Any]) -> None:
    folder = PurePosixPath(model["original_file_path"]).parent.name
    prefix, schema = {
        "staging": (f"stg_{folder}__", "staging"),
        "intermediate": ("int_", "intermediate"),
        "marts": ("", "build"),
    }[layer(model)]
    assert model["name"].startswith(prefix)
    assert model["schema"] == schema
    if not prefix:
        assert not model["name"].startswith(("stg_", "int_"))


@every_model
def test_a_model_is_described_beside_it(model: Mapping[str, Any]) -> None:
    """Intermediate models stand in folders by area, each with the file that describes them."""
    folder = PurePosixPath(model["original_file_path"]).parent
    patch = PurePosixPath(model["patch_path"].removeprefix("marketplace://"))
    assert patch.parent == folder
    if layer(model) == "intermediate":
        assert folder.parent.name == "intermediate"
        assert patch.name == f"_{folder.name}__models.yml"


@every_model
def test_a_description_ends_with_the_grain(model: Mapping[str, Any]) -> None:
    assert re.search(r"Grain: (at most )?one row per [^.]+\.$", model["description"].strip())


@every_model
def test_every_column_that_is_listed_is_described(model: Mapping[str, Any]) -> None:
    assert [name for name, column in model["columns"].items() if not column["description"].strip()] == []


@every_model
def test_a_test_guards_the_primary_key(model: Mapping[str, Any]) -> None:
    """A million events are tested for second rows once, where a view's rows or those made of them are stored."""
    tested = model["config"]["meta"].get("grain_tested_on", model["name"])
    [model] = (other for other in MODELS.values() if other["name"] == tested)
    generic = {test["test_metadata"]["name"] for test in checks_of(model) if test.get("test_metadata")}
    assert generic & {"one_row_per", "unique"}


@every_model
def test_a_model_is_a_view_or_built_by_windows(model: Mapping[str, Any]) -> None:
    assert model["config"]["materialized"] in ("view", "windowed")


@every_model
def test_a_model_joins_few_others(model: Mapping[str, Any]) -> None:
    assert len(re.findall(r"\bjoin\b", sql_of(model))) <= MAX_JOINS


@every_model
def test_what_only_one_engine_understands_stands_in_macros_compat(model: Mapping[str, Any]) -> None:
    # Within braces `~` joins texts of jinja.
    sql = re.sub(r"\{[{%].*?[%}]\}", "", sql_of(model), flags=re.DOTALL).lower()
    assert [token for token in ENGINE_TOKENS if token in sql] == []


@every_model
def test_imports_come_first_and_a_select_last(model: Mapping[str, Any]) -> None:
    sql = sql_of(model)
    assert sql.startswith("with\n")
    reads = [bool(re.search(rf"\{{\{{ {IMPORT}\(", body)) for _, body in stages(model)]
    assert reads == sorted(reads, reverse=True), "a stage that imports follows one that does not"
    for name, body in [stage for stage, is_import in zip(stages(model), reads, strict=True) if is_import]:
        assert re.fullmatch(rf"\s*select \* from \{{\{{ {IMPORT}\([^)]*\) \}}\}}\s*(where .*)?", body, re.DOTALL), name
    # A stage ends with a parenthesis, or is one that a macro makes.
    last = re.split(r"^(?:\)|\{\{ \w+\(.*\) \}\})\n", sql, flags=re.MULTILINE)[-1]
    # Macro monthly_sums is a whole select.
    assert last.strip().startswith(("select", "{{ monthly_sums("))
    assert not re.search(rf"\{{\{{ {IMPORT}\(", last)


@every_windowed_model
def test_a_windowed_model_is_replaced_by_its_scope_and_never_as_a_whole(model: Mapping[str, Any]) -> None:
    config = model["config"]
    if scope(model) in ("day", "week", "month"):
        assert config["event_time"] in config["meta"]["grain"]
        reads = "in_window(" if scope(model) == "day" else "in_scope("
        assert reads in model["raw_code"], "it would read all of history"


@pytest.mark.parametrize("model", [m for m in WINDOWED.values() if scope(m) != "day"], ids=lambda model: model["name"])
def test_what_is_coarser_than_a_day_is_a_mart_made_from_marts_and_never_from_events(model: Mapping[str, Any]) -> None:
    assert layer(model) == "marts"
    windowed = {parent["unique_id"]: parent for parent in WINDOWED.values()}
    read = [windowed[parent] for parent in parents(model, "model") if parent in windowed]
    assert read
    assert {layer(parent) for parent in read} == {"marts"}


@every_windowed_model
def test_the_grain_of_a_windowed_model_is_tested(model: Mapping[str, Any]) -> None:
    keys = [
        test["test_metadata"]["kwargs"]["key"]
        for test in checks_of(model)
        if test.get("test_metadata", {}).get("name") == "one_row_per"
    ]
    assert [set(key) for key in keys] == [set(model["config"]["meta"]["grain"])]


@every_windowed_model
def test_tests_of_a_windowed_model_judge_the_window(model: Mapping[str, Any]) -> None:
    wheres = {test["name"]: test["config"]["where"] for test in checks_of(model)}
    assert set(wheres.values()) == {f"in_window({model['config']['event_time']})"}, wheres


@every_public_model
def test_a_public_model_has_a_contract_and_describes_every_column(model: Mapping[str, Any]) -> None:
    assert layer(model) == "marts"
    assert model["config"]["contract"]["enforced"]
    for column in model["columns"].values():
        assert column["data_type"]
        assert column["description"].strip()


@pytest.mark.parametrize("model", [m for m in MODELS.values() if layer(m) == "marts"], ids=lambda model: model["name"])
def test_every_mart_is_public_but_what_only_coarser_ones_are_made_from(model: Mapping[str, Any]) -> None:
    folder = PurePosixPath(model["original_file_path"]).parent.name
    assert model["access"] == ("protected" if folder == "rollups" else "public")


def test_a_mart_that_is_a_view_reads_marts_that_are_tables_and_is_built_after_them() -> None:
    """Its readers may read nothing else, and among the daily models some of these tables are not there yet."""
    tables = {model["unique_id"] for name, model in PUBLIC.items() if name in WINDOWED}
    views = [model for name, model in PUBLIC.items() if name not in WINDOWED]
    assert views
    for model in views:
        assert set(model["depends_on"]["nodes"]) <= tables, model["name"]
        assert scope(model) == "snapshot", model["name"]


@pytest.mark.parametrize("seed", nodes("seed").values(), ids=nodes("seed"))
def test_a_seed_is_described_with_its_grain_and_its_key_is_tested(seed: Mapping[str, Any]) -> None:
    assert re.search(r"Grain: one row per [^.]+\.$", seed["description"].strip())
    assert "unique" in {test["test_metadata"]["name"] for test in checks_of(seed) if test.get("test_metadata")}


@pytest.mark.parametrize(
    "test",
    [node for node in nodes("test").values() if not node.get("test_metadata")],
    ids=lambda node: node["name"],
)
def test_a_singular_test_says_what_must_hold_and_what_a_failing_row_is(test: Mapping[str, Any]) -> None:
    assert test["name"].startswith("assert_")
    assert re.search(r"^-- A failing row is ", test["raw_code"], re.MULTILINE)


@pytest.mark.parametrize("source", MANIFEST["sources"].values(), ids=lambda source: source["name"])
def test_a_source_is_a_described_table_of_schema_raw_unless_it_is_computed(source: Mapping[str, Any]) -> None:
    assert source["schema"] == ("intermediate" if source["unique_id"] in COMPUTED else "raw")
    assert source["description"].strip()


@every_public_model
def test_a_public_mart_is_in_an_exposure_so_that_somebody_is_asked_before_it_changes(model: Mapping[str, Any]) -> None:
    """Dashboards are listed in models/exposures.yml."""
    read = {node for exposure in MANIFEST["exposures"].values() for node in exposure["depends_on"]["nodes"]}
    assert model["unique_id"] in read


@pytest.mark.parametrize("exposure", MANIFEST["exposures"].values(), ids=lambda exposure: exposure["name"])
def test_an_exposure_has_an_owner_and_reads_public_models_only(exposure: Mapping[str, Any]) -> None:
    assert exposure["description"].strip()
    assert exposure["owner"]["name"]
    assert exposure["owner"]["email"]
    assert set(exposure["depends_on"]["nodes"]) <= {model["unique_id"] for model in PUBLIC.values()}


@every_model
def test_who_answers_for_a_mart_is_another_than_for_the_pipeline(model: Mapping[str, Any]) -> None:
    group = model["config"]["group"]
    assert group in {group["name"] for group in MANIFEST["groups"].values()}
    assert (group == "pipeline") == (model["access"] != "public")


def test_models_read_every_click_id_that_events_have() -> None:
    macro = MANIFEST["macros"]["macro.marketplace.click_id_columns"]["macro_sql"]
    assert tuple(re.findall(r"'(\w+)'", macro)) == CLICK_IDS


def test_the_checks_count_renewals_in_the_days_that_the_models_do() -> None:
    project = yaml.safe_load((loaded_version.PROJECT_DIR / "dbt_project.yml").read_text())
    assert project["vars"]["license_renewal_days"] == platform.RENEWAL_DAYS


def signatures(text: str) -> dict[str, list[str]]:
    """Return the macros that a text defines, each with the names of its arguments."""
    found = re.findall(r"\{%-? macro (\w+)\((.*?)\) -?%\}", text)
    return {name: re.findall(r"(\w+)(?:=[^,]+)?(?:,|$)", arguments) for name, arguments in found}


def test_sqlfluff_knows_every_macro_that_models_call_and_no_other() -> None:
    macros = {
        name: arguments
        for macro in MANIFEST["macros"].values()
        if macro["package_name"] == "marketplace"
        for name, arguments in signatures(macro["macro_sql"]).items()
    }
    # Hooks are texts to sqlfluff.
    called = {
        word
        for model in MODELS.values()
        for expression in re.findall(
            r"\{\{(.*?)\}\}", re.sub(r"\{\{ config\(.*?\) \}\}\n", "", model["raw_code"], flags=re.DOTALL), re.DOTALL
        )
        for word in re.findall(r"\w+", expression)
        if word in macros
    }
    stand_ins = signatures((loaded_version.PROJECT_DIR.parent / ".sqlfluff").read_text())
    assert stand_ins == {name: macros[name] for name in called}
