"""Provisioning of the reading roles: their settings, limits and passwords are kept as declared.

Where the owner may not do it, the error names the statements for an administrator.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING

from warehouse.connection import PasswordRefused, Warehouse, WarehouseUnavailable
from warehouse.roles.readers import GROUPS, READERS, Reader
from warehouse.single_values import value_of

if TYPE_CHECKING:
    import psycopg


def create_roles(warehouse: Warehouse, connection: "psycopg.Connection") -> None:
    """Create or correct every declared role. Raises WarehouseUnavailable with the statements that it may not run."""
    import psycopg

    from warehouse.roles import superuser_limits

    found = {
        name: (set(config or ()), limit, can_log_in)
        for name, config, limit, can_log_in in connection.execute(
            "select rolname, rolconfig, rolconnlimit, rolcanlogin from pg_roles"
        )
    }
    statements = []
    without_password = []
    for reader in READERS:
        present = found.get(reader.name)
        if present is None:
            statements.append(f"create role {reader.name} login connection limit {reader.connections}")
        elif present[1:] != (reader.connections, True):
            statements.append(f"alter role {reader.name} login connection limit {reader.connections}")
        statements += reader.missing(reader.settings, () if present is None else present[0])
        if warehouse.reader_passwords.get(reader.name) and (
            present is None or not _has_password(warehouse, connection, reader)
        ):
            without_password.append(reader)
    statements += [f"create role {group} nologin" for group in GROUPS if group not in found]
    try:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement)
            for reader in without_password:
                clause = password_clause(connection, reader.name, warehouse.reader_passwords[reader.name])
                connection.execute(f"alter role {reader.name} {clause}")
            if superuser_limits.may_be_set(connection):
                for statement in superuser_limits.statements(connection):
                    connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        secrets = [f"alter role {reader.name} password '...'" for reader in without_password]
        unlimited = superuser_limits.statements(connection) if superuser_limits.may_be_set(connection) else []
        raise rights_are_missing(warehouse, [*statements, *secrets, *unlimited]) from error


def _has_password(warehouse: Warehouse, connection: "psycopg.Connection", reader: Reader) -> bool:
    """Return whether the role logs in by the known password."""
    if warehouse.is_embedded:
        # Its superuser may read the verifier, which is quicker than a login.
        verifier = value_of(connection, "select rolpassword from pg_authid where rolname = %s", [reader.name])
        return bool(verifier and _matches(warehouse.reader_passwords[reader.name], verifier))
    try:
        warehouse.connect_to(warehouse.dsn(reader.name)).close()
    except PasswordRefused:
        return False
    except WarehouseUnavailable:
        return True  # Postgres checks the password before the database
    return True


def _matches(password: str, verifier: str) -> bool:
    """Return whether a SCRAM verifier (RFC 5803) belongs to a password of ASCII characters."""
    if not verifier.startswith("SCRAM-SHA-256$"):
        return False
    _, parameters, keys = verifier.split("$")
    iterations, salt = parameters.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return hmac.compare_digest(stored, base64.b64decode(keys.split(":")[0]))


def password_clause(connection: "psycopg.Connection", role: str, password: str) -> str:
    """Return the clause that sets a password by its verifier, since statements are logged."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return f"password '{verifier.decode()}'"


def rights_are_missing(warehouse: Warehouse, statements: Sequence[str]) -> WarehouseUnavailable:
    """Return the error with the statements for an administrator."""
    lines = "".join(f"\n  {statement};" for statement in statements)
    return WarehouseUnavailable(
        f"user {warehouse.user} may not prepare the database {warehouse.database} on {warehouse.host},"
        f" port {warehouse.port}; have an administrator run these statements there, then try again:{lines}"
    )
