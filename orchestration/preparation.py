"""What has to be in a warehouse before anything is loaded: roles, databases, schemas and what bi_reader may do.

Everything may be run at any time and by several processes at once, and changes nothing that is right already.
"""

from typing import TYPE_CHECKING, Final

from orchestration.embedded.folder import BI_READER, OWNER, SUPERUSER
from orchestration.warehouse import (
    APPLICATION_DATABASE,
    DATABASE,
    STORAGE_SCHEMA,
    PasswordRefused,
    Warehouse,
    WarehouseUnavailable,
)

if TYPE_CHECKING:
    import psycopg

MARTS: Final = "marts"
# raw and ops come from ingestion.
SCHEMAS: Final = (STORAGE_SCHEMA, "staging", "intermediate", "build", MARTS)
CLOSED_SCHEMAS: Final = ("public", "raw", "ops", STORAGE_SCHEMA, "staging", "intermediate", "build")

# A dashboard that asks more than this at once or for longer is broken, and must not hold up the pipeline.
BI_CONNECTIONS: Final = 30
BI_SETTINGS: Final = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5min",
    "idle_in_transaction_session_timeout": "10min",
    "search_path": MARTS,
}
# Any constant will do; it only has to differ from the other advisory locks of the warehouse.
_PREPARATION_LOCK: Final = 7_210

# One row per statement that is still needed for bi_reader to read marts and to do nothing else. The rights of others
# stay, except that temporary tables and schema public are nobody's by default.
_MISSING_GRANTS: Final = """
with settings as (select %(reader)s::text as reader, %(marts)s::text as marts, current_database()::text as database)
select format('grant connect on database %%I to %%I', database, reader) from settings
where not has_database_privilege(reader, database, 'connect')
union all
select format('grant temporary on database %%I to %%I', database, current_user) from settings
where has_database_privilege(reader, database, 'temporary')
union all
select format('revoke temporary, create on database %%I from public, %%I', database, reader) from settings
where has_database_privilege(reader, database, 'temporary') or has_database_privilege(reader, database, 'create')
union all
select format('revoke all on schema %%I from public, %%I', nspname, reader) from settings, pg_namespace
where nspname = any(%(closed)s)
    and (has_schema_privilege(reader, oid, 'usage') or has_schema_privilege(reader, oid, 'create'))
union all
select format('grant usage on schema %%I to %%I', marts, reader) from settings
where not has_schema_privilege(reader, marts, 'usage')
union all
select format('revoke create on schema %%I from public, %%I', marts, reader) from settings
where has_schema_privilege(reader, marts, 'create')
union all
select format('grant select on all tables in schema %%I to %%I', marts, reader) from settings
where exists (
    select from pg_class
    where relnamespace = marts::regnamespace and relkind in ('r', 'p', 'v', 'm')
        and not has_table_privilege(reader, oid, 'select')
)
union all
select format('alter default privileges in schema %%I grant select on tables to %%I', marts, reader) from settings
where not exists (
    select from pg_default_acl as defaults, aclexplode(defaults.defaclacl) as granted
    where defaults.defaclrole = current_user::regrole and defaults.defaclnamespace = marts::regnamespace
        and granted.grantee = reader::regrole and granted.privilege_type = 'SELECT'
)
"""

# Everybody may call these by default: bi_reader could write large objects, and hold the locks that keep runs apart.
_OPEN_FUNCTIONS: Final = """
select oid::regprocedure::text from pg_proc
where pronamespace = 'pg_catalog'::regnamespace
    and proname ~ '^(lo_creat|lo_create|lo_from_bytea|pg_(try_)?advisory_.*lock.*)$'
    and has_function_privilege(%s, oid, 'execute')
"""


def prepare(warehouse: Warehouse) -> None:
    """Create whatever is missing. Raises WarehouseUnavailable; where rights are missing, it names the statements."""
    import psycopg

    from ingestion import schema

    if warehouse.is_embedded:
        _prepare_server(warehouse)
    with warehouse.connect(autocommit=True) as connection:
        # Held until the connection closes.
        connection.execute("select pg_advisory_lock(%s)", [_PREPARATION_LOCK])
        if not warehouse.is_embedded:
            _prepare_reader(warehouse, connection)
        try:
            with connection.transaction():
                present = {name for (name,) in connection.execute("select nspname from pg_namespace")}
                for name in SCHEMAS:
                    if name not in present:
                        connection.execute(f"create schema {name}")
                schema.create(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            grant = f'grant create, temporary on database "{warehouse.database}" to "{warehouse.user}"'
            raise _rights_are_missing(warehouse, [grant]) from error
        _prepare_grants(warehouse, connection)


def _prepare_server(warehouse: Warehouse) -> None:
    """The embedded server's roles and databases, and what only its superuser may do in them."""
    wanted = [DATABASE]
    own_application = f"@{warehouse.host}:{warehouse.port}/{APPLICATION_DATABASE}"
    if warehouse.application_url and warehouse.application_url.endswith(own_application):
        wanted.append(APPLICATION_DATABASE)
    with warehouse.connect_to(warehouse.superuser_url(SUPERUSER), autocommit=True) as connection:
        # As below, but on the server's own database: the warehouse may not be there yet.
        connection.execute("select pg_advisory_lock(%s)", [_PREPARATION_LOCK])
        roles = {name for (name,) in connection.execute("select rolname from pg_roles")}
        if OWNER not in roles:
            connection.execute(f"create role {OWNER} login {_password(connection, OWNER, warehouse.password)}")
        _prepare_reader(warehouse, connection)
        databases = {name for (name,) in connection.execute("select datname from pg_database")}
        for name in wanted:
            if name not in databases:
                connection.execute(f"create database {name} owner {OWNER}")
        # Which databases bi_reader may enter is granted, not given.
        others = connection.execute(
            "select format('revoke connect on database %%I from public', datname) from pg_database"
            " where datname <> %s and datallowconn and has_database_privilege(%s, oid, 'connect')",
            [DATABASE, BI_READER],
        ).fetchall()
        for (statement,) in others:
            connection.execute(statement)
        with warehouse.connect_to(warehouse.superuser_url(DATABASE), autocommit=True) as inside:
            inside.execute("create extension if not exists pg_stat_statements")
            for (function,) in inside.execute(_OPEN_FUNCTIONS, [BI_READER]).fetchall():
                inside.execute(f"grant execute on function {function} to {OWNER}")
                inside.execute(f"revoke execute on function {function} from public")


def _prepare_reader(warehouse: Warehouse, connection: "psycopg.Connection") -> None:
    """The role bi_reader with its settings."""
    import psycopg

    found = connection.execute(
        "select rolconfig, rolconnlimit, rolcanlogin from pg_roles where rolname = %s", [BI_READER]
    ).fetchone()
    settings = [f"alter role {BI_READER} set {name} = '{value}'" for name, value in BI_SETTINGS.items()]
    create = f"create role {BI_READER} login connection limit {BI_CONNECTIONS}"
    if found is None:
        statements = [create, *settings]
    else:
        present = set(found[0] or ())
        statements = [
            statement
            for statement, (name, value) in zip(settings, BI_SETTINGS.items(), strict=True)
            if f"{name}={value}" not in present
        ]
        if found[1:] != (BI_CONNECTIONS, True):
            statements.append(f"alter role {BI_READER} login connection limit {BI_CONNECTIONS}")
    secret = [f"alter role {BI_READER} password '...'"] if warehouse.bi_password else []
    try:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement)
            if warehouse.bi_password and (found is None or not _reader_can_log_in(warehouse)):
                password = _password(connection, BI_READER, warehouse.bi_password)
                connection.execute(f"alter role {BI_READER} {password}")
    except psycopg.errors.InsufficientPrivilege as error:
        raise _rights_are_missing(warehouse, [*statements, *secret]) from error


def _reader_can_log_in(warehouse: Warehouse) -> bool:
    try:
        warehouse.connect_to(warehouse.bi_dsn).close()
    except PasswordRefused:
        return False
    except WarehouseUnavailable:
        return True  # Postgres looks at the password before it looks for the database
    return True


def _prepare_grants(warehouse: Warehouse, connection: "psycopg.Connection") -> None:
    import psycopg

    parameters = {"reader": BI_READER, "marts": MARTS, "closed": list(CLOSED_SCHEMAS)}
    with connection.transaction():
        missing = [statement for (statement,) in connection.execute(_MISSING_GRANTS, parameters)]
        try:
            for statement in missing:
                connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege as error:
            raise _rights_are_missing(warehouse, missing) from error
        # Who may not revoke gets a warning from Postgres and no error.
        if missing and (left := [statement for (statement,) in connection.execute(_MISSING_GRANTS, parameters)]):
            raise _rights_are_missing(warehouse, left)


def _rights_are_missing(warehouse: Warehouse, statements: list[str]) -> WarehouseUnavailable:
    lines = "".join(f"\n  {statement};" for statement in statements)
    return WarehouseUnavailable(
        f"user {warehouse.user} may not prepare the database {warehouse.database} on {warehouse.host},"
        f" port {warehouse.port}; have an administrator run these statements there, then try again:{lines}"
    )


def _password(connection: "psycopg.Connection", role: str, password: str) -> str:
    """The clause that sets a password, by its verifier: statements end up in logs."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return f"password '{verifier.decode()}'"
