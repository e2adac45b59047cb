"""Every dashboard in a browser: its headline numbers are those of the marts, whatever is chosen."""

from typing import Final

import psycopg
import pytest

from dashboards.queries import dashboards as specs
from dashboards.spec import Dashboard, Kind
from tests.bi.conftest import SCREENSHOTS, Dashboards
from tests.bi.headlines import HEADLINES, expected
from tests.bi.pages import Visit

pytestmark = pytest.mark.bi

# How a filter names a thing, and the thing's id: of the first choice, and of another.
CHOICES: Final = {
    "Creator": "select distinct display_name || ' (' || creator_id || ')', creator_id from creator_dashboard",
    "Brand": "select distinct company_name || ' (' || brand_id || ')', brand_id from dim_brands where not is_deleted",
    "Asset": "select distinct title || ' (' || ip_asset_id || ')', ip_asset_id from asset_metrics",
}


def expect_numbers(visit: Visit, marts: psycopg.Connection, dashboard: str, choices: dict[str, str]) -> None:
    for headline in HEADLINES.get(dashboard, ()):
        visit.expect_headline(headline[0], expected(marts, headline, choices))
    assert visit.errors() == []


def assert_it_fits(visit: Visit) -> None:
    """Neither the page nor a title or number in it is wider than its place."""
    page, place = visit.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    cut = visit.page.eval_on_selector_all(
        ".header-line, .header-title", "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
    )
    assert page <= place
    assert cut == []


def test_every_headline_is_compared() -> None:
    shown = {(spec.name, chart.title) for spec in specs() for chart in spec.charts if chart.kind is Kind.NUMBER}
    compared = {(name, headline[0]) for name, headlines in HEADLINES.items() for headline in headlines}

    assert compared == shown


@pytest.mark.parametrize("spec", specs(), ids=lambda spec: spec.name)
def test_a_dashboard_shows_the_numbers_of_what_is_chosen(
    visit: Visit, marts: psycopg.Connection, spec: Dashboard
) -> None:
    choices = {"period": "30d", "Model": "last_touch"}
    thing = next((one.title for one in spec.filters if one.title in CHOICES), None)
    visit.sign_in("admin")
    visit.open(spec.name)
    if thing:
        offered = dict(marts.execute(f"{CHOICES[thing]} order by 1").fetchall())  # type: ignore[call-overload]
        first = sorted(offered, key=str.casefold)[0]
        choices[thing] = offered[first]
    expect_numbers(visit, marts, spec.name, choices)
    assert_it_fits(visit)
    visit.keep_picture(SCREENSHOTS / f"{spec.name}.png")

    visit.choose(spec.name, "Period", "7d")
    expect_numbers(visit, marts, spec.name, choices | {"period": "7d"})
    if thing:
        other = sorted(offered, key=str.casefold)[len(offered) // 2]
        visit.choose(spec.name, thing, other)
        choices[thing] = offered[other]
        expect_numbers(visit, marts, spec.name, choices | {"period": "7d"})
    if "Model" in [one.title for one in spec.filters]:
        visit.choose(spec.name, "Model", "linear")
        expect_numbers(visit, marts, spec.name, choices | {"period": "7d", "Model": "linear"})


def test_the_chart_api_answers_for_every_chart_without_a_browser(visit: Visit, dashboards: Dashboards) -> None:
    visit.sign_in("admin")
    get = visit.page.request.get
    charts = get(f"{dashboards.address}/api/v1/chart/?q=(page_size:100)").json()["result"]

    assert len(charts) == len([chart for spec in specs() for chart in spec.charts])
    for chart in charts:
        answer = get(f"{dashboards.address}/api/v1/chart/{chart['id']}/data/")
        assert answer.status == 200, (chart["slice_name"], answer.text())
        assert answer.json()["result"][0]["error"] is None, chart["slice_name"]
