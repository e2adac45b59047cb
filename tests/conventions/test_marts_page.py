"""The table of marts in docs/reference/marts.md says what their dbt contracts say."""

import re

from tests.conventions.test_dbt_conventions import PUBLIC, scope
from warehouse.connection import CHECKOUT

PAGE = (CHECKOUT / "docs" / "reference" / "marts.md").read_text().partition("## All marts")[2].partition("\n## ")[0]
ROW = re.compile(r"^\| `(\w+)` \| .+ \| (.+) \| (\w+) \| (.+) \|$", re.MULTILINE)


def test_the_page_lists_every_mart_with_its_grain_scope_and_audience() -> None:
    listed = {name: (grain, scope, audience) for name, grain, scope, audience in ROW.findall(PAGE)}
    declared = {
        name: (
            ", ".join(model["config"]["meta"]["grain"]),
            scope(model),
            ", ".join(["BI", *(f"{audience}s" for audience in model["config"]["meta"].get("portal", {}))]),
        )
        for name, model in PUBLIC.items()
    }
    assert listed == declared


def test_the_two_names_of_views_point_to_each_other() -> None:
    for mart, model in PUBLIC.items():
        for name, other in (("views", "total_views"), ("total_views", "views")):
            if name in model["columns"]:
                assert re.search(rf"\b{other}\b", model["columns"][name]["description"]), f"{mart}.{name}"
