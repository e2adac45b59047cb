"""Metric functions attacked by creators and brands: through them nobody gets numbers of others."""

import contextlib
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from orchestration.cli.provision import prepare
from reporting.errors import NotFound
from reporting.metrics import Metrics
from warehouse.connection import Warehouse
from warehouse.roles import logins
from warehouse.roles.logins import Login
from warehouse.roles.readers import ALL_READERS, BRANDS, CREATORS, POLICED

pytestmark = pytest.mark.models

# Each has a share of some assets, and asset-15 is creator-1's alone. brand-0 and brand-1 have campaigns of their own.
OWN_CREATOR, OTHER_CREATOR, OWN_BRAND, OTHER_BRAND, OTHERS_ASSET = (
    "creator-0",
    "creator-1",
    "brand-0",
    "brand-1",
    "asset-7",
)
OF_OTHERS = {
    "creator": [
        *(
            f"select * from asset_metrics{part}('{OTHERS_ASSET}', {span})"
            for part in ("", "_totals", "_by_day", "_top_referrers")
            for span in ("'2026-10-01', '2027-01-01'", "'all'")
        ),
        *(
            f"select * from creator_dashboard{part}('{OTHER_CREATOR}', 'all')"
            for part in ("", "_summary", "_top_assets", "_revenue_timeline", "_traffic_sources")
        ),
    ],
    "brand": [
        f"select * from asset_metrics('{OTHERS_ASSET}', '2026-10-01', '2027-01-01')",
        f"select * from asset_metrics_totals('{OTHERS_ASSET}', 'all')",
        *(f"select * from brand_campaigns{part}('{OTHER_BRAND}', 'all')" for part in ("", "_campaigns", "_assets")),
    ],
}  # fmt: skip
# Before the question, what may make the function take the attacker for someone else.
TRICKS = [
    "select 1",
    "set search_path = pg_temp, marts, public",
    "set role creator_login",
    "set role brand_login",
    "set role bi_reader",
    "set role warehouse_owner",
    "set session authorization warehouse_owner",
    "set row_security = off",
    "set plan_cache_mode = force_generic_plan",
    "set datestyle = 'SQL, DMY'",
    f"set app.creator_id = '{OTHER_CREATOR}'; set app.brand_id = '{OTHER_BRAND}'",
    "set app.creator_id = ''; set app.brand_id = ''",
    "set app.creator_id = '%'; set app.brand_id = '%'",
]
NOT_THEIRS = {
    "creator": ["brand_campaigns('brand-0', 'all')", "platform_metrics('all')", "entity_events('asset-0', 'asset')"],
    "brand": ["creator_dashboard('creator-0', 'all')", "platform_metrics('all')", "entity_events('asset-0', 'asset')"],
}
INSIDE = [
    "select access.asset_scope('asset-7', '2026-10-01', '2026-10-02', true)",
    "select * from rollups.visitor_asset_days",
    "select * from ops.entity_events('asset', 'asset-7')",
    "select prosrc from pg_proc where proname like 'asset_metrics%'",
]


@pytest.fixture
def attackers(quarter: Warehouse) -> Iterator[dict[str, tuple[str, psycopg.Connection]]]:
    """By role the audience and a session: portals that name their owner, and logins of one creator and one brand."""
    studio = logins.add(quarter, Login("studio_zero", CREATORS, OWN_CREATOR))
    label = logins.add(quarter, Login("label_zero", BRANDS, OWN_BRAND))
    dsns = {
        "creator_portal": ("creator", quarter.dsn("creator_portal")),
        "brand_portal": ("brand", quarter.dsn("brand_portal")),
        "studio_zero": ("creator", studio),
        "label_zero": ("brand", label),
    }
    yield {
        role: (audience, psycopg.connect(dsn, autocommit=True, prepare_threshold=None))
        for role, (audience, dsn) in dsns.items()
    }
    with psycopg.connect(quarter.superuser_url("warehouse"), autocommit=True) as admin:
        admin.execute("drop owned by studio_zero, label_zero")
    logins.remove(quarter, "studio_zero")
    logins.remove(quarter, "label_zero")


def refusal(connection: psycopg.Connection, statement: str) -> tuple[str | None, str]:
    """The SQLSTATE of a statement and its message with all details."""
    with pytest.raises(psycopg.Error) as error:
        connection.execute(statement)  # type: ignore[arg-type]
    return error.value.sqlstate, error.value.diag.message_primary or ""


def name_owner(connection: psycopg.Connection) -> None:
    connection.execute("discard all")
    connection.execute(f"set app.creator_id = '{OWN_CREATOR}'; set app.brand_id = '{OWN_BRAND}'")


def test_what_is_anothers_does_not_exist(attackers: dict[str, tuple[str, psycopg.Connection]]) -> None:
    for role, (audience, connection) in attackers.items():
        for trick in TRICKS:
            if "portal" in role and "app." in trick and OTHER_CREATOR in trick:
                continue  # a portal is whom it names
            name_owner(connection)
            # The attacker goes on without a trick that is refused.
            with contextlib.suppress(psycopg.Error):
                connection.execute(trick)  # type: ignore[arg-type]
            for question in OF_OTHERS[audience]:
                state, message = refusal(connection, question.replace("from ", "from marts."))
                assert state in ("WH002", "42501"), (role, trick, question, message)
                assert "Title" not in message
        name_owner(connection)
        of_nobody = refusal(connection, "select asset_metrics('asset-99', 'all')")
        of_another = refusal(connection, f"select asset_metrics('{OTHERS_ASSET}', 'all')")
        assert of_another == (of_nobody[0], of_nobody[1].replace("asset-99", OTHERS_ASSET)), "both look alike"


def test_what_is_their_own_is_answered(attackers: dict[str, tuple[str, psycopg.Connection]]) -> None:
    for audience, connection in attackers.values():
        name_owner(connection)
        own = {
            "creator": f"creator_dashboard('{OWN_CREATOR}', 'all'), asset_metrics('asset-0', 'all')",
            "brand": f"brand_campaigns('{OWN_BRAND}', 'all'), asset_metrics('asset-0', 'all')",
        }[audience]
        ((answer, asset),) = connection.execute(f"select {own}").fetchall()  # type: ignore[arg-type]
        assert answer[f"{audience}_id"] in (OWN_CREATOR, OWN_BRAND)
        assert asset["totals"]["total_views"] > 0


def test_a_portal_that_names_nobody_gets_nothing(attackers: dict[str, tuple[str, psycopg.Connection]]) -> None:
    for role in ("creator_portal", "brand_portal"):
        _, connection = attackers[role]
        connection.execute("discard all")
        assert refusal(connection, "select asset_metrics('asset-0', 'all')")[0] == "WH002"
        connection.execute("begin; set local app.creator_id = 'creator-0'; set local app.brand_id = 'brand-0'")
        assert connection.execute("select asset_metrics('asset-0', 'all')").fetchall()
        connection.execute("commit")
        assert refusal(connection, "select asset_metrics('asset-0', 'all')")[0] == "WH002"


def test_functions_of_others_and_what_they_read_are_closed(
    attackers: dict[str, tuple[str, psycopg.Connection]],
) -> None:
    for audience, connection in attackers.values():
        name_owner(connection)
        for call in NOT_THEIRS[audience]:
            assert refusal(connection, f"select {call}")[0] == "42501"
        for statement in INSIDE:
            assert refusal(connection, statement)[0] == "42501", statement


def test_objects_of_their_own_take_nobodys_place(
    quarter: Warehouse, attackers: dict[str, tuple[str, psycopg.Connection]]
) -> None:
    """Also where somebody has given them the right to make temporary objects and objects of schema public."""
    with psycopg.connect(quarter.superuser_url("warehouse"), autocommit=True) as admin:
        for role in attackers:
            admin.execute(sql.SQL("grant temporary on database warehouse to {}").format(sql.Identifier(role)))
            admin.execute(sql.SQL("grant all on schema public to {}").format(sql.Identifier(role)))
    for role, (audience, connection) in attackers.items():
        name_owner(connection)
        connection.execute("set default_transaction_read_only = off")
        connection.execute(
            f"""
            create temporary table creator_asset_days as
                select 'asset-7' as ip_asset_id, 'creator-0' as creator_id, date '2026-10-05' as metric_date;
            create temporary table published_days as
                select date '2026-10-05' as event_date, date '2026-10-05' as metric_date;
            create function pg_temp.pg_has_role(name, text, text) returns boolean language sql return true;
            create function public.pg_has_role(name, text, text) returns boolean language sql return true;
            create function public.{role}_is_anything(text, text) returns boolean language sql return true;
            create operator public.= (leftarg = text, rightarg = text, function = public.{role}_is_anything);
            set search_path = public, pg_temp, marts, pg_catalog;
            """  # type: ignore[arg-type]
        )
        for question in OF_OTHERS[audience]:
            assert refusal(connection, question.replace("from ", "from marts."))[0] == "WH002", (role, question)
        connection.execute(
            f"drop operator public.= (text, text); drop function public.{role}_is_anything,"
            " public.pg_has_role(name, text, text)"  # type: ignore[arg-type]
        )


def test_rights_given_by_mistake_open_nothing_and_are_taken_back(
    quarter: Warehouse, attackers: dict[str, tuple[str, psycopg.Connection]]
) -> None:
    everybody = ", ".join([*POLICED, "public"])
    with quarter.connect(autocommit=True) as owner:
        owner.execute(f"grant execute on all functions in schema marts to {everybody}")  # type: ignore[arg-type]
    for audience, connection in attackers.values():
        name_owner(connection)
        for question in OF_OTHERS[audience]:
            assert refusal(connection, question)[0] == "WH002"
        for call in NOT_THEIRS[audience]:
            assert refusal(connection, f"select {call}")[0] in ("42501", "WH002")
    prepare(quarter)
    for audience, connection in attackers.values():
        for call in NOT_THEIRS[audience]:
            state, message = refusal(connection, f"select {call}")
            assert (state, message.startswith("permission denied for function")) == ("42501", True)
    assert set(callers(quarter, "marts.asset_metrics(text, text)")) == {*ALL_READERS}


def callers(warehouse: Warehouse, function: str) -> list[str]:
    with warehouse.connect() as owner:
        rows = owner.execute(
            "select grantee::regrole::text from pg_proc, aclexplode(proacl)"
            " where pg_proc.oid = %s::regprocedure and grantee <> proowner",
            [function],
        ).fetchall()
    return [role for (role,) in rows]


def test_in_python_a_portal_asks_on_behalf_of_one(quarter: Warehouse) -> None:
    with Metrics(quarter.dsn("creator_portal")) as portal:
        own, other = portal.for_creator(OWN_CREATOR), portal.for_creator(OTHER_CREATOR)
        assert (
            own.creator_dashboard(OWN_CREATOR, "all").summary != other.creator_dashboard(OTHER_CREATOR, "all").summary
        )
        for metrics, creator in ((own, OTHER_CREATOR), (other, OWN_CREATOR), (portal, OWN_CREATOR)):
            with pytest.raises(NotFound):
                metrics.creator_dashboard(creator, "all")
        with pytest.raises(NotFound):
            own.asset_metrics(OTHERS_ASSET, "all")
        assert other.asset_metrics(OTHERS_ASSET, "all").totals.total_views >= 0
