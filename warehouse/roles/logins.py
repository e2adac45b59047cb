"""Logins of single creators and brands, for people who write SQL.

A session may change any setting, so the rows that it sees follow from its login alone.
"""

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from warehouse.connection import Warehouse
from warehouse.roles import grants, superuser_limits
from warehouse.roles.provisioning import password_clause, rights_are_missing
from warehouse.roles.readers import ACCESS, AUDIENCES, Audience
from warehouse.single_values import exist, value_of

if TYPE_CHECKING:
    import psycopg

# Names that need no quotes anywhere; Postgres keeps those with pg_ for itself.
_NAME: Final = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")


class LoginError(Exception):
    """A login cannot be added or removed. The message says why."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login, and the creator or brand that it belongs to."""

    name: str
    audience: Audience
    owner_id: str


def add(warehouse: Warehouse, login: Login) -> str:
    """Create a login for one creator or brand. Return its URL with the password, which is stored nowhere.

    Raises:
        LoginError: The creator or brand is not known, or a role of that name exists, which may have rights of its own.
        WarehouseUnavailable: The owner may not create roles. The message has the statements to run.
    """
    import psycopg
    from psycopg import sql

    if not _NAME.fullmatch(login.name):
        raise LoginError(f"{login.name!r} is no name for a login: small letters, digits and _, at most 63")
    if not login.owner_id.strip():
        raise LoginError(f"the id of the {login.audience.name} is empty")
    password = secrets.token_urlsafe(24)
    role = login.audience.login(login.name)
    with _administrator(warehouse) as connection:
        _assert_known(connection, login)
        limited = role.missing(role.limits, ())
        try:
            with connection.transaction():
                clause = password_clause(connection, role.name, password)
                may_limit = superuser_limits.may_be_set(connection)
                for statement in [*_creation(login, clause), *(limited if may_limit else ())]:
                    connection.execute(statement)
                connection.execute(
                    f"insert into {ACCESS}.logins (login, {login.audience.name}_id, password_verifier)"
                    " values (%s, %s, %s)",
                    [login.name, login.owner_id, clause.removeprefix("password '").removesuffix("'")],
                )
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            raise LoginError(f"{login.name} exists already; remove that login first, or choose another name") from None
        except psycopg.errors.InsufficientPrivilege as error:
            values = sql.SQL("values ({}, {})").format(login.name, login.owner_id).as_string()
            entry = f"insert into {ACCESS}.logins (login, {login.audience.name}_id) {values}"
            statements = [*_creation(login, "password '...'"), *limited, entry]
            raise rights_are_missing(warehouse, statements) from error
    return warehouse.dsn(role.name, password)


def _creation(login: Login, password: str) -> list[str]:
    """Return the statements that create the role of a login, without its limits. `password` is the clause for it."""
    role = login.audience.login(login.name)
    return [
        f"create role {role.name} login connection limit {role.connections} {password}".rstrip(),
        # Inherited, without "set role".
        f"grant {login.audience.group} to {role.name} with inherit true, set false",
        *role.missing(role.settings, ()),
    ]


def assert_known(warehouse: Warehouse, login: Login) -> None:
    """Raise LoginError unless the product's tables, as they were read last, have the creator or brand of a login."""
    with warehouse.connect(autocommit=True) as connection:
        _assert_known(connection, login)


def keep_verifiers(warehouse: Warehouse) -> None:
    """Record the password verifiers of logins that others created or changed, on the embedded server."""
    if not warehouse.is_embedded:
        return
    with _administrator(warehouse) as connection:
        connection.execute(
            f"update {ACCESS}.logins set password_verifier = rolpassword from pg_authid"
            " where rolname = login and rolpassword is distinct from password_verifier"
        )


def create_missing(warehouse: Warehouse) -> list[str]:
    """Create the roles of logins that a restored warehouse names and its server lacks. Return those without password.

    Raises WarehouseUnavailable, with the statements to run, where the owner may not create roles.
    """
    import psycopg

    with _administrator(warehouse) as connection:
        present = {name for (name,) in connection.execute("select rolname from pg_roles")}
        verifiers: dict[str, str | None] = dict(
            connection.execute(f"select login, password_verifier from {ACCESS}.logins order by 1").fetchall()
        )
        may_limit = superuser_limits.may_be_set(connection)
        statements = []
        for login in listed(warehouse):
            role = login.audience.login(login.name)
            if role.name in present:
                continue
            verifier = verifiers[role.name]
            statements += _creation(login, f"password '{verifier}'" if verifier else "")
            statements += role.missing(role.limits, ()) if may_limit else []
        try:
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege as error:
            raise rights_are_missing(warehouse, statements) from error
    return [name for name, verifier in verifiers.items() if not verifier and name not in present]


def remove(warehouse: Warehouse, name: str) -> None:
    """Remove a login's access to rows at once, then its open sessions and the login itself.

    Raises:
        LoginError: `add` did not create the login, or it has rights or objects of its own.
        WarehouseUnavailable: The owner may not drop the role, which has lost its access.
    """
    import psycopg

    with _administrator(warehouse) as connection:
        known = value_of(connection, f"delete from {ACCESS}.logins where login = %s returning 1", [name])
        exists = value_of(connection, "select 1 from pg_roles where rolname = %s", [name])
        members = value_of(
            connection,
            "select 1 from pg_auth_members where member = to_regrole(%s) and roleid::regrole::text = any(%s)",
            [name if _NAME.fullmatch(name) else None, [audience.group for audience in AUDIENCES]],
        )
        if not (known or members):
            raise LoginError(f"{name} is no login of a creator or brand; `roles list` names them all")
        if not exists:
            return
        try:
            with connection.transaction(), connection.cursor() as cursor:
                # A right that was granted by hand would keep the role.
                grants.revoke_surplus(cursor)
                cursor.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [name])
                cursor.execute(f"drop role {name}")
        except psycopg.errors.DependentObjectsStillExist as error:
            raise LoginError(f"{name} sees no rows any more, but has rights or objects of its own: {error}") from None
        except psycopg.errors.InsufficientPrivilege as error:
            raise rights_are_missing(warehouse, [f"drop role {name}"]) from error


def listed(warehouse: Warehouse) -> list[Login]:
    """Return every login of a creator or brand, by name."""
    ids = ", ".join(f"{audience.name}_id" for audience in AUDIENCES)
    with warehouse.connect(autocommit=True) as connection:
        rows = connection.execute(f"select login, {ids} from {ACCESS}.logins order by login").fetchall()
    return [
        Login(name, audience, owner_id)
        for name, *owner_ids in rows
        for audience, owner_id in zip(AUDIENCES, owner_ids, strict=True)
        if owner_id is not None
    ]


# The last version of a row says whether it was removed: see ingestion/application/schema.py.
_KNOWN: Final = """
select not is_removed and coalesce(deleted_at, 'infinity') = 'infinity' from raw.{table} where id = %s
order by change_id desc limit 1
"""


def _assert_known(connection: "psycopg.Connection", login: Login) -> None:
    """Raise LoginError unless the product's tables, as they were read last, have this creator or brand."""
    kind, owner_id = login.audience.name, login.owner_id
    table = f"{kind}s"
    query = _KNOWN.format(table=table)
    is_there = value_of(connection, query, [owner_id]) if exist(connection, f"raw.{table}") else None
    if not is_there:
        state = "does not exist" if is_there is None else "was deleted"
        raise LoginError(
            f"{kind} {owner_id} {state} in the product's tables as they were read last (raw.{table});"
            f" correct the id, or run a day first if the {kind} is new"
        )


def _administrator(warehouse: Warehouse) -> "psycopg.Connection":
    """Return a connection that may create roles: of the embedded server's superuser, elsewhere of the owner."""
    if warehouse.is_embedded:
        return warehouse.connect_to(warehouse.superuser_url(warehouse.database), autocommit=True)
    return warehouse.connect(autocommit=True)
