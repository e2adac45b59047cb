"""Requirements of a server and a login, checked before anything is created."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from warehouse.connection import Warehouse, WarehouseUnavailable
from warehouse.roles.readers import GROUPS, READERS

if TYPE_CHECKING:
    import psycopg

# The rights of single logins rest on `grant ... with inherit`, which is new in Postgres 16.
OLDEST_VERSION: Final = 16

_FACTS: Final = """
select current_setting('server_version'), current_setting('server_version_num')::int / 10000, pg_is_in_recovery(),
    current_setting('default_transaction_read_only') = 'on',
    current_user::text = any(%(readers)s) or exists (
        select from pg_auth_members
        where member = current_user::regrole and roleid::regrole::text = any(%(groups)s) and not admin_option
    ),
    (
        select format('%%s belongs to %%s', nspname, pg_get_userbyid(nspowner)) from pg_namespace
        where nspname = any(%(schemas)s) and not pg_has_role(nspowner, 'usage') order by nspname limit 1
    )
"""


def assert_suitable(warehouse: Warehouse, connection: "psycopg.Connection", schemas: Sequence[str]) -> None:
    """Raise WarehouseUnavailable, with one sentence, where this server or login cannot be used.

    The login must own those of `schemas` that exist.
    """
    parameters = {
        "readers": [reader.name for reader in READERS],
        "groups": list(GROUPS),
        "schemas": list(schemas),
    }
    row = connection.execute(_FACTS, parameters).fetchone() or ()
    version, major, is_standby, is_read_only, is_reader, foreign_schema = row
    where = f"the warehouse at {warehouse.host}, port {warehouse.port}"
    reason = None
    if major < OLDEST_VERSION:
        reason = f"is Postgres {version}; Postgres {OLDEST_VERSION} or newer is needed"
    elif is_standby:
        reason = "is a standby server, which is read-only; let WAREHOUSE_URL name the primary server"
    elif is_reader:
        reason = f"knows user {warehouse.user} as a reader of marts; let WAREHOUSE_URL name the owner of the warehouse"
    elif foreign_schema:
        reason = (
            f"has a schema that is not user {warehouse.user}'s: schema {foreign_schema}; let WAREHOUSE_URL name that"
            f" user, or another database than {warehouse.database}"
        )
    elif is_read_only:
        reason = (
            f"begins read-only for user {warehouse.user}; an administrator ends that:"
            f' alter role "{warehouse.user}" reset default_transaction_read_only'
        )
    if reason:
        raise WarehouseUnavailable(f"{where} {reason}")
