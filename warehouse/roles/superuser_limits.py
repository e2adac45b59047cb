"""Limits that only a superuser may set for readers: the size of temporary files, and which errors are logged.

On the embedded server provisioning sets them; elsewhere `roles hardening` prints the statements.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from warehouse.roles.readers import AUDIENCES, READERS, Reader
from warehouse.single_values import value_of

if TYPE_CHECKING:
    import psycopg

# Logins of single creators and brands. An owner that created the groups is a member too, but no reader.
_LOGINS: Final = """
select logins.rolname, groups.rolname
from pg_auth_members as members
inner join pg_roles as logins on logins.oid = members.member
inner join pg_roles as groups on groups.oid = members.roleid
where groups.rolname = any(%s) and logins.rolcanlogin and not logins.rolsuper and not logins.rolcreaterole
    and logins.rolname not in (
        select pg_get_userbyid(datdba) from pg_database where datname = current_database()
    )
order by 1
"""


def statements(connection: "psycopg.Connection") -> list[str]:
    """Return the statements that a superuser still has to run so that every reader is limited."""
    present = {
        name: set(config or ()) for name, config in connection.execute("select rolname, rolconfig from pg_roles")
    }
    return [
        statement
        for reader in _readers(connection)
        if reader.name in present
        for statement in reader.missing(reader.limits, present[reader.name])
    ]


def may_be_set(connection: "psycopg.Connection") -> bool:
    """Return whether this session may set the limits: as a superuser, or by a grant of `set on parameter`."""
    names = sorted({name for reader in READERS for name in reader.limits})
    query = "select bool_and(has_parameter_privilege(name, 'set')) from unnest(%s::text[]) as name"
    return bool(value_of(connection, query, [names]))


def _readers(connection: "psycopg.Connection") -> Iterable[Reader]:
    yield from READERS
    by_group = {audience.group: audience for audience in AUDIENCES}
    for name, group in connection.execute(_LOGINS, [list(by_group)]).fetchall():
        yield by_group[group].login(name)
