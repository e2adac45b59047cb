"""The ways around the policies, each tried by every role that must not get through, after every kind of rebuild."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest

from orchestration.cli.provision import prepare
from publishing import builds
from publishing.marts import Mart
from tests.integration.warehouse.roles.attacks import FORBIDDEN, LEAKS
from tests.integration.warehouse.roles.conftest import MARTS, POLICED
from tests.support.handmade_marts import DAY, WINDOW, build, column, mart, publish_by_hand
from warehouse.connection import Warehouse
from warehouse.writer_lock import writing

# Whatever a statement shows, as rows, notices, errors or copied text, must not hold this.
SECRET = "secret"
# The tables of one audience are attacked by the roles of that audience.
TABLES = {"creator_portal": "earnings", "studio_one": "earnings", "brand_portal": "campaigns", "label_one": "campaigns"}


class Attacker:
    """A role's session, with a transaction of its own for every statement."""

    def __init__(self, dsn: str, *settings: str) -> None:
        self.settings = ("set default_transaction_read_only = off", "set statement_timeout = 0", *settings)
        self.notices: list[str] = []
        self.connection = psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
        self.connection.add_notice_handler(lambda notice: self.notices.append(notice.message_primary or ""))

    def sees(self, statement: str) -> tuple[str, bool]:
        """All that a statement shows, as text, and whether it succeeded."""
        self.connection.execute("discard all")
        for setting in self.settings:
            self.connection.execute(setting)
        self.notices.clear()
        texts: list[str] = []
        succeeded = True
        cursor = self.connection.cursor()
        try:
            if statement.endswith(("stdout", "stdin")):
                with cursor.copy(statement) as copy:
                    texts.extend(bytes(block).decode() for block in copy if statement.endswith("stdout"))
            else:
                cursor.execute(statement)
                texts.extend(str(cursor.fetchall()) for _ in cursor.results() if cursor.description)
        except psycopg.Error as error:
            texts.append(f"{error} {error.diag.context}")
            succeeded = False
        return "\n".join([*texts, *self.notices]), succeeded


def leaks(attackers: dict[str, Attacker]) -> list[str]:
    """The attacks that got through, by role and what was tried."""
    through = []
    for role, attacker in attackers.items():
        table = TABLES[role]
        names = {"table": table, "other": {"earnings": "campaigns", "campaigns": "earnings"}[table]}
        for name, statement in LEAKS.items():
            through += [f"{role}: {name}"] if SECRET in attacker.sees(statement.format(**names))[0] else []
        for statement in FORBIDDEN:
            through += [f"{role}: {statement}"] if attacker.sees(statement.format(**names))[1] else []
    return through


HISTORY = mart("history", column("creator_id"), column("note"), portals={"creator": "creator_id"})
ALL = {**MARTS, HISTORY: [("c1", "own"), ("c2", "secret")]}


@pytest.fixture
def warehouse(warehouse: Warehouse) -> Iterator[Warehouse]:
    """A warehouse with relations that a person may leave beside the marts, and a mart partitioned by hand."""
    with warehouse.connect(autocommit=True) as owner:
        owner.execute(
            """
            create table marts.history (metric_date date, creator_id text, note text) partition by range (metric_date);
            create table marts.history_of_october partition of marts.history
                for values from ('2026-10-01') to ('2026-11-01');
            """
        )
        build(owner, ALL, [DAY])
        for made in POLICED:
            owner.execute(f"create view marts.{made.name}_view as select * from marts.{made.name}")
            owner.execute(f"create materialized view marts.{made.name}_copy as select * from marts.{made.name}")
        owner.execute(
            """
            create function marts.raise_note(note text) returns boolean language plpgsql cost 0.0001
            as $$ begin raise notice '%', note; return true; end $$;
            create function marts.all_notes() returns setof text language sql security definer
            as $$ select note from marts.earnings union all select note from marts.campaigns $$;
            create view staging.plan as select 'secret' as text;
            create function ops.plan() returns text language sql return 'secret';
            create function ops.older_plan() returns text language sql as $$ select 'secret' $$;
            """
        )
        owner.execute("analyze")
    publish_by_hand(warehouse, list(ALL))
    with warehouse.connect():
        yield warehouse


@pytest.fixture
def attackers(warehouse: Warehouse, creator_dsn: str, brand_dsn: str) -> dict[str, Attacker]:
    """Attacking sessions with their first statement: a portal names its owner, a login names another one."""
    return {
        "creator_portal": Attacker(warehouse.dsn("creator_portal"), "set app.creator_id = 'c1'"),
        "brand_portal": Attacker(warehouse.dsn("brand_portal"), "set app.brand_id = 'b1'"),
        "studio_one": Attacker(creator_dsn, "set app.creator_id = 'c2'"),
        "label_one": Attacker(brand_dsn, "set app.brand_id = 'b2'"),
    }


def give_away(warehouse: Warehouse) -> None:
    """Grant rights that may be granted by mistake."""
    everybody = ", ".join(TABLES)
    with warehouse.connect(autocommit=True) as owner:
        owner.execute(f"grant select on all tables in schema marts to {everybody}, public")
        owner.execute(f"grant select (note), insert (note) on marts.totals to {everybody}, creator_login")
        owner.execute(f"grant insert, update on marts.earnings, marts.campaigns to {everybody}")


def publish_again(warehouse: Warehouse) -> None:
    publish_by_hand(warehouse, list(ALL))


def publish_a_new_column(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as owner:
        for made in POLICED:
            owner.execute(f"alter table build.{made.name} add column shares bigint default 7")
    shares = column("shares", "bigint")
    publish_by_hand(warehouse, [replace(m, columns=(*m.columns, shares)) if m in POLICED else m for m in ALL])


def publish_retyped_owners(warehouse: Warehouse) -> None:
    """Publish with another owner column for the policies."""
    retyped: dict[Mart, list[tuple[object, ...]] | str] = {}
    for made, rows in ALL.items():
        columns = tuple(
            replace(c, data_type="character varying(40)") if c.name.endswith("_id") else c for c in made.columns
        )
        retyped[replace(made, columns=columns)] = rows
    with warehouse.connect(autocommit=True) as owner:
        # These two were made by hand and depend on the columns.
        for made in POLICED:
            owner.execute(f"drop view marts.{made.name}_view; drop materialized view marts.{made.name}_copy")
        owner.execute("drop function marts.all_notes()")
        build(owner, retyped, [DAY])
    publish_by_hand(warehouse, list(retyped))


def rebuild(warehouse: Warehouse) -> None:
    """Drop the tables of build and build them again, as the job rebuild does."""
    with warehouse.connect(autocommit=True) as lock, writing(lock, "rebuild", log=print):
        builds.clear(lock, WINDOW, [("build", made.name) for made in ALL if not made.is_view], build_id="rebuild")
    with warehouse.connect(autocommit=True) as owner:
        build(owner, ALL, [DAY])
        owner.execute("update ops.built_days set is_complete = true")
    publish_by_hand(warehouse, list(ALL))


def tamper_with_policies(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as owner:
        owner.execute(
            """
            alter policy own_rows_for_creator_portal on marts.earnings using (true);
            create policy mine on marts.campaigns to brand_login using (true);
            alter table marts.licenses no force row level security;
            alter view marts.earnings_by_day set (security_invoker = false);
            create or replace view marts.campaigns_by_day as select * from marts.campaigns;
            """
        )
    publish_by_hand(warehouse, list(ALL))


@pytest.mark.parametrize(
    "happens",
    [publish_again, publish_a_new_column, publish_retyped_owners, rebuild, prepare, tamper_with_policies],
    ids=lambda happens: happens.__name__,
)
def test_no_attack_gets_through(
    warehouse: Warehouse, attackers: dict[str, Attacker], happens: Callable[[Warehouse], None]
) -> None:
    give_away(warehouse)
    happens(warehouse)

    assert leaks(attackers) == []
    for role, attacker in attackers.items():
        for name in (TABLES[role], f"{TABLES[role]}_by_day"):
            assert "own" in attacker.sees(f"select * from {name}")[0], f"{role} sees its own rows of {name}"
        # A warning and no error where nothing can be given.
        attacker.sees(f"grant select on {TABLES[role]} to public")
    with psycopg.connect(warehouse.bi_dsn) as bi:
        assert bi.execute("select count(*) from earnings").fetchone() == (3,)
        assert bi.execute("select count(*) from earnings_by_day").fetchone() == (3,)
        granted = "select relname from pg_class, aclexplode(relacl) where relnamespace = 'marts'::regnamespace"
        assert bi.execute(f"{granted} and grantee = 0").fetchall() == []


def test_a_view_or_function_of_the_owner_that_was_given_away_shows_nothing_from_the_first_moment(
    warehouse: Warehouse, attackers: dict[str, Attacker]
) -> None:
    give_away(warehouse)
    for role, attacker in attackers.items():
        for statement in (f"select * from {TABLES[role]}_view", "select marts.all_notes()"):
            assert attacker.sees(statement) == ("[]", True), (role, statement)
    with psycopg.connect(warehouse.bi_dsn) as bi:
        assert bi.execute("select count(*) from earnings_view").fetchone() == (3,), "BI sees what is in the table"


def test_the_attacks_would_be_noticed(warehouse: Warehouse, attackers: dict[str, Attacker]) -> None:
    """Without policies and limits they get through."""
    give_away(warehouse)
    with psycopg.connect(warehouse.superuser_url("warehouse"), autocommit=True) as superuser:
        for made in (*POLICED, HISTORY):
            superuser.execute(f"alter table marts.{made.name} disable row level security")
        superuser.execute("grant select on pg_proc, pg_rewrite to public; grant all on schema marts to public")
    through = {name.removeprefix("creator_portal: ") for name in leaks({"creator_portal": attackers["creator_portal"]})}
    assert len(through) >= 20, through
    assert {"the table", "a plain view", "a partition", "copy", "a function with RAISE in a filter"} <= through
    assert {"a published view", "a published view with a function with RAISE"} <= through
    assert {"everything about functions", "create table marts.own (number int)"} <= through
