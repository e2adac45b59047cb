"""Rows of creators and brands: their own alone, whatever was cached before and whatever they ask."""

import secrets
from typing import Any, Final

import psycopg
import pytest

from tests.bi.conftest import BRAND, CREATOR
from tests.bi.headlines import HEADLINES, expected
from tests.bi.pages import Visit

pytestmark = pytest.mark.bi

CREATORS_LOGIN: Final = "studio-17"
CREATORS: Final = {"columns": ["creator"], "metrics": ["Views"], "filters": [], "orderby": [["Views", False]]}


def dataset(visit: Visit, name: str) -> int:
    """Return Superset's number of a dataset."""
    found = visit.page.request.get(f"{visit.address}/api/v1/dataset/?q=(page_size:100)").json()["result"]
    return next(int(one["id"]) for one in found if one["table_name"] == name)


def names(answer: Any, column: str) -> set[str]:
    return {str(row[column]) for row in answer["result"][0]["data"]}


def test_a_creator_sees_own_rows_after_an_administrator_has_seen_all(visit: Visit, marts: psycopg.Connection) -> None:
    visit.sign_in("admin")
    visit.open("creator")
    number = dataset(visit, "creator: creator_dashboard")
    status, everything = visit.ask(CREATORS, number)
    assert status == 200
    assert len(names(everything, "creator")) > 30
    # The dashboard of the creator is warm too, with the very filter that the creator will have.
    name = next(one for one in names(everything, "creator") if CREATOR in one)
    visit.choose("creator", "Creator", name)
    visit.sign_out()

    visit.sign_in(CREATORS_LOGIN)
    visit.open("creator")
    for headline in HEADLINES["creator"]:
        visit.expect_headline(headline[0], expected(marts, headline, {"period": "30d", "Creator": CREATOR}))
    assert visit.choices("creator", "Creator") == [name]
    own = marts.execute(
        "select title || ' (' || ip_asset_id || ')' from creator_top_assets"
        " where creator_id = %s and period = '30d' order by rank",
        [CREATOR],
    ).fetchall()
    assert [row[1] for row in visit.table("Best assets")] == [title for (title,) in own]
    assert visit.errors() == []
    status, answer = visit.ask(CREATORS, number)
    assert (status, names(answer, "creator")) == (200, {name})


def test_a_brand_sees_own_rows(visit: Visit, marts: psycopg.Connection) -> None:
    visit.sign_in("lumen")
    visit.open("brand")
    for headline in HEADLINES["brand"]:
        visit.expect_headline(headline[0], expected(marts, headline, {"period": "30d", "Brand": BRAND}))
    own = marts.execute("select company_name || ' (' || brand_id || ')' from dim_brands where brand_id = %s", [BRAND])
    assert visit.choices("brand", "Brand") == [name for (name,) in own.fetchall()]
    assert visit.errors() == []


# Questions with SQL of their own, wherever a query has room for it.
QUESTIONS: Final[list[dict[str, Any]]] = [
    {"metrics": [{"expressionType": "SQL", "sqlExpression": "count(*)", "label": "all"}]},
    {"columns": [{"sqlExpression": "creator || '!'", "label": "c", "expressionType": "SQL"}]},
    {"columns": [{"sqlExpression": "set_config('app.creator_id', 'crt_000001', false)", "label": "c"}]},
    {"extras": {"where": "set_config('app.creator_id', 'crt_000001', false) is not null"}},
    {"extras": {"having": "count(*) > 0"}},
    {"orderby": [[{"expressionType": "SQL", "sqlExpression": "set_config('a.b', 'c', false)"}, True]]},
    {"filters": [{"col": {"sqlExpression": "1 = 1 or creator", "label": "x"}, "op": "IN", "val": ["a"]}]},
    {"series_limit": 1, "series_limit_metric": {"expressionType": "SQL", "sqlExpression": "1", "label": "n"}},
    {"granularity": "now()"},
]


def test_a_creator_asks_no_sql(visit: Visit) -> None:
    visit.sign_in(CREATORS_LOGIN)
    number = dataset(visit, "creator: creator_dashboard")

    for change in QUESTIONS:
        status, answer = visit.ask(CREATORS | change, number)
        assert status in {400, 403}, (change, answer)
        assert "crt_" not in str(answer), change
    assert visit.ask(CREATORS, number)[0] == 200


def test_a_filter_on_another_creator_finds_nothing(visit: Visit) -> None:
    visit.sign_in(CREATORS_LOGIN)
    number = dataset(visit, "creator: creator_dashboard")
    others = {"filters": [{"col": "creator", "op": "NOT IN", "val": ["nobody"]}]}

    assert {CREATOR in name for name in names(visit.ask(CREATORS | others, number)[1], "creator")} == {True}
    assert len(names(visit.ask(CREATORS | others, number)[1], "creator")) == 1


def test_a_creator_reaches_no_other_page(visit: Visit) -> None:
    visit.sign_in("admin")
    other = dataset(visit, "platform: platform_metrics")
    brands = dataset(visit, "brand: brand_campaign_metrics")
    visit.sign_out()
    visit.sign_in(CREATORS_LOGIN)
    get = visit.page.request.get

    assert visit.ask({"columns": ["period"], "metrics": ["Revenue"]}, other)[0] == 403
    assert visit.ask({"columns": ["campaign"], "metrics": ["Spend"]}, brands)[0] == 403
    listed = get(f"{visit.address}/api/v1/dashboard/").json()["result"]
    assert [one["dashboard_title"] for one in listed] == ["Creator"]
    for path in ("/sqllab/", "/api/v1/database/", "/api/v1/query/", "/explore/", "/users/", "/api/v1/security/users/"):
        answer = get(f"{visit.address}{path}", max_redirects=0)
        assert answer.status in {302, 401, 403, 404} or answer.json().get("count") == 0, path
    token = get(f"{visit.address}/api/v1/security/csrf_token/").json()["result"]
    answer = visit.page.request.post(
        f"{visit.address}/api/v1/sqllab/execute/",
        data={"database_id": 1, "sql": "select 1"},
        headers={"X-CSRFToken": token, "Referer": visit.address},
    )
    assert answer.status == 403


def test_nobody_reads_without_signing_in(visit: Visit) -> None:
    assert visit.page.request.get(f"{visit.address}/api/v1/dashboard/").json().get("count", 0) == 0
    assert visit.page.request.get(f"{visit.address}/api/v1/chart/1/data/").status in {401, 403, 404}


def test_an_analyst_writes_sql_on_marts_alone(visit: Visit, marts: psycopg.Connection) -> None:
    visit.sign_in("ana")
    visit.open("creator")
    token = visit.page.request.get(f"{visit.address}/api/v1/security/csrf_token/").json()["result"]

    def ask(sql: str) -> tuple[int, Any]:
        answer = visit.page.request.post(
            f"{visit.address}/api/v1/sqllab/execute/",
            data={
                "database_id": 1,
                "sql": sql,
                "schema": "marts",
                "runAsync": False,
                "client_id": secrets.token_hex(5),
            },
            headers={"X-CSRFToken": token, "Referer": visit.address},
        )
        return answer.status, answer.json()

    status, answer = ask("select count(*) as creators from creator_dashboard where period = '30d'")
    row = marts.execute("select count(*) from creator_dashboard where period = '30d'").fetchone()
    assert (status, answer["data"]) == (200, [{"creators": row[0] if row else None}])
    for forbidden in ("select count(*) from raw.events", "delete from marts.periods", "select * from access.logins"):
        assert ask(forbidden)[0] >= 400, forbidden
