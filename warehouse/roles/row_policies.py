"""Row policies of marts. A mart with an owner column shows creators and brands only their own rows.

A mart with EVERY_ROW shows them all rows; other marts are closed to them. The policies go by the session's login and
bind the owner too (`force`). A view or function of the owner that a portal gets by mistake therefore shows nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from warehouse.missing_ddl import add_columns, set_comments
from warehouse.roles.readers import ACCESS, ALL_READERS, AUDIENCES, BI_READER, EVERY_ROW, MARTS
from warehouse.single_values import value_of

# Prefixes of the names of our policies.
_ALL_ROWS: Final = "all_rows_for_"
_OWN_ROWS: Final = "own_rows_for_"

_DDL: Final = f"""
create schema if not exists {ACCESS};
create table if not exists {ACCESS}.logins (
    login text primary key,
    {", ".join(f"{audience.name}_id text check ({audience.name}_id <> '')" for audience in AUDIENCES)},
    added_at timestamptz not null default clock_timestamp(),
    check (num_nonnulls({", ".join(f"{audience.name}_id" for audience in AUDIENCES)}) = 1)
);
"""
_COMMENTS: Final = {
    f"{ACCESS}.logins": "The creator or brand of each login. Policies of marts look it up by the login of the session.",
    f"{ACCESS}.logins.password_verifier": "The SCRAM verifier of the password (RFC 5803), by which a restored warehouse"
    " keeps it; not the password itself.",
}
# By the login: not by a setting, and not by current_user, which "set role" changes.
_LOOKUP: Final = """
create or replace function {lookup}() returns text language sql stable security definer set search_path = ''
return (select {column} from {schema}.logins where login = session_user);
revoke execute on function {lookup}() from public;
grant execute on function {lookup}() to {group};
"""


def create_lookups(connection: psycopg.Connection) -> None:
    """Create the table of logins, and the functions by which policies read it. The roles exist."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_DDL)
        add_columns(cursor, f"{ACCESS}.logins", {"password_verifier": "text"})
        set_comments(cursor, _COMMENTS)
        for audience in AUDIENCES:
            connection.execute(
                _LOOKUP.format(
                    lookup=audience.lookup, column=f"{audience.name}_id", schema=ACCESS, group=audience.group
                )
            )


class RolesMissing(Exception):
    """A mart belongs to roles that the server does not have."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of a mart: the role, the condition on rows, and the right to write them."""

    name: str
    role: str
    rows: str
    may_write: bool = False


def policies_of(portals: Mapping[str, str], *, owner: str) -> list[Policy]:
    """Return the policies of a mart. `portals` has the owner column by audience; an empty one needs no policy."""
    if not portals:
        return []
    is_owner = ", ".join(["session_user", sql.Literal(owner).as_string(), "'member'"])
    is_bi = f"session_user, '{BI_READER.name}', 'member'"
    policies = [
        Policy(_ALL_ROWS + "owner", owner, f"(select pg_has_role({is_owner}) or pg_has_role({is_bi}))", may_write=True),
        Policy(_ALL_ROWS + BI_READER.name, BI_READER.name, "true"),
    ]
    for audience in AUDIENCES:
        portal = audience.portal.name
        if portals.get(audience.name) == EVERY_ROW:
            policies += [Policy(_ALL_ROWS + role, role, "true") for role in (portal, audience.group)]
        elif audience.name in portals:
            column = sql.Identifier(portals[audience.name]).as_string()
            # After a transaction that had set it the setting is '' and not null.
            setting = f"nullif(current_setting('{audience.setting}', true), '')"
            policies += [
                Policy(_OWN_ROWS + portal, portal, f"{column} = (select {setting})"),
                Policy(_OWN_ROWS + audience.group, audience.group, f"{column} = (select {audience.lookup}())"),
            ]
    return policies


def has_policies(cursor: psycopg.Cursor, table: str, portals: Mapping[str, str]) -> bool:
    """Return whether a table of marts has exactly its policies and grants. Raises RolesMissing."""
    owner = _owner(cursor, table, portals)
    found = cursor.execute(
        "select policyname, roles::text[], cmd, permissive, qual, with_check from pg_policies"
        " where schemaname = %s and tablename = %s",
        [MARTS, table],
    ).fetchall()
    if not portals:
        return not any(_is_own_policy(name) for name, *_ in found) and _is_readable(cursor, table, portals)
    expected = {_shape(policy) for policy in policies_of(portals, owner=owner)}
    present = {
        (name, tuple(roles), command, permissive, _canonical(rows), _canonical(written))
        for name, roles, command, permissive, rows, written in found
    }
    return present == expected and _is_readable(cursor, table, portals)


def _owner(cursor: psycopg.Cursor, table: str, portals: Mapping[str, str]) -> str:
    """Return the current user. Raises RolesMissing when a table has portals and their roles do not exist."""
    owner, are_roles_there = cursor.execute(
        "select current_user,"
        " (select count(*) from pg_roles where rolname = any(%s)) = %s and to_regclass(%s) is not null",
        [list(ALL_READERS), len(ALL_READERS), f"{ACCESS}.logins"],
    ).fetchone() or ("", False)
    if portals and not are_roles_there:
        raise RolesMissing(
            f"marts.{table} belongs to creators or brands, and the roles by which they read it are missing;"
            " `warehouse start` creates them"
        )
    return str(owner)


def _is_own_policy(policy: str) -> bool:
    return policy.startswith((_ALL_ROWS, _OWN_ROWS))


def _shape(policy: Policy) -> tuple[object, ...]:
    rows = _canonical(policy.rows)
    command = "ALL" if policy.may_write else "SELECT"
    return (policy.name, (policy.role,), command, "PERMISSIVE", rows, rows if policy.may_write else "")


def _canonical(expression: str | None) -> str:
    """Return an expression without the casts, parentheses, quotes and column names that Postgres adds."""
    text = re.sub(r"::\w+|\s+AS\s+\"?\w+\"?", "", expression or "")
    return re.sub(r"[\s()\"]", "", text).lower()


def _is_readable(cursor: psycopg.Cursor, table: str, portals: Mapping[str, str]) -> bool:
    """Return whether its readers have the right to select, and its policies, if any, are in force."""
    is_readable = value_of(
        cursor,
        "select (relrowsecurity and relforcerowsecurity or %s) and not exists (select from pg_roles"
        " where rolname = any(%s) and not has_table_privilege(pg_roles.oid, pg_class.oid, 'select'))"
        " from pg_class where oid = %s::regclass",
        [not portals, _readers_of(portals), f"{MARTS}.{table}"],
    )
    return bool(is_readable)


def _readers_of(portals: Mapping[str, str]) -> list[str]:
    """Return the roles that may select from the table."""
    own = [
        name for audience in AUDIENCES if audience.name in portals for name in (audience.portal.name, audience.group)
    ]
    return [BI_READER.name, *own]


def drop_policies(cursor: psycopg.Cursor, table: str, portals: Mapping[str, str]) -> None:
    """Drop the policies of a table, whose columns can then be dropped. `replace_policies` ends the transaction."""
    rows = cursor.execute(
        "select policyname from pg_policies where schemaname = %s and tablename = %s", [MARTS, table]
    ).fetchall()
    identifier = sql.Identifier(MARTS, table)
    names = [name for (name,) in rows if portals or _is_own_policy(name)]
    for name in names:
        cursor.execute(sql.SQL("drop policy {} on {}").format(sql.Identifier(name), identifier))
    if names:
        # With forced row security and no policy the owner would see no row. Where a table has no portals, they lose
        # their grants before the publication ends.
        switch = "no force row level security" + ("" if portals else ", disable row level security")
        cursor.execute(sql.SQL("alter table {} " + switch).format(identifier))


def replace_policies(cursor: psycopg.Cursor, table: str, portals: Mapping[str, str]) -> None:
    """Create a table's policies from scratch, and grant select to their roles. Raises RolesMissing."""
    owner = _owner(cursor, table, portals)
    identifier = sql.Identifier(MARTS, table)
    drop_policies(cursor, table, portals)
    if portals:
        cursor.execute(sql.SQL("alter table {} enable row level security, force row level security").format(identifier))
    for policy in policies_of(portals, owner=owner):
        cursor.execute(
            sql.SQL("create policy {} on {} for {} to {} using ({}) {}").format(
                sql.Identifier(policy.name),
                identifier,
                sql.SQL("all" if policy.may_write else "select"),
                sql.Identifier(policy.role),
                sql.SQL(policy.rows),
                sql.SQL(f"with check ({policy.rows})" if policy.may_write else ""),
            )
        )
    grant_select(cursor, table, portals)


def grant_select(cursor: psycopg.Cursor, table: str, portals: Mapping[str, str]) -> None:
    """Grant select on a table or view of marts to those of its readers that lack the right."""
    missing = cursor.execute(
        "select rolname from pg_roles where rolname = any(%s) and not has_table_privilege(oid, %s::regclass, 'select')",
        [_readers_of(portals), f"{MARTS}.{table}"],
    ).fetchall()
    for (role,) in missing:
        statement = sql.SQL("grant select on {} to {}")
        cursor.execute(statement.format(sql.Identifier(MARTS, table), sql.Identifier(role)))
