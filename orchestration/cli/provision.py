"""Provisioning of a warehouse: databases, schemas, shared tables, and the roles that read marts.

Everything may be run at any time and by several processes at once, and changes nothing that is right already.
"""

from typing import Final

from warehouse.connection import APPLICATION_DATABASE, DATABASE, STORAGE_SCHEMA, Warehouse, WarehouseUnavailable
from warehouse.embedded.data_dir import OWNER, SUPERUSER
from warehouse.locks import AdvisoryLock
from warehouse.requirements import assert_suitable
from warehouse.roles.provisioning import create_roles, password_clause, rights_are_missing
from warehouse.roles.readers import ACCESS, BI_READER, MARTS, ROLLUPS

# raw and ops come from ingestion.
SCHEMAS: Final = (STORAGE_SCHEMA, "staging", "intermediate", "build", ROLLUPS, MARTS)


def prepare(warehouse: Warehouse) -> None:
    """Create whatever is missing. Raises WarehouseUnavailable; where rights are missing, it names the statements."""
    import psycopg

    try:
        _prepare(warehouse)
    except psycopg.Error as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WarehouseUnavailable(
            f"database {warehouse.database} at {warehouse.host}, port {warehouse.port}, cannot be prepared by user"
            f" {warehouse.user}: {reason}"
        ) from error


def _prepare(warehouse: Warehouse) -> None:
    import psycopg

    from alerting import schema as alerts_schema
    from ingestion import schema
    from ingestion.application import schema as application_schema
    from ingestion.raw_access import entity_lookup
    from publishing import renamed_checks, renamed_relations
    from publishing.explain import schema as explain_schema
    from publishing.live_views import creation as live_views
    from publishing.metric_functions import schema as metric_functions_schema
    from warehouse.roles import grants, row_policies

    if warehouse.is_embedded:
        _prepare_server(warehouse)
    with warehouse.connect(autocommit=True) as connection:
        if not warehouse.is_embedded:
            assert_suitable(warehouse, connection, [*SCHEMAS, "raw", "ops", ACCESS])
        # Held until the connection closes.
        connection.execute("select pg_advisory_lock(%s)", [AdvisoryLock.PROVISIONING])
        if not warehouse.is_embedded:
            create_roles(warehouse, connection)
        try:
            with connection.transaction():
                renamed_relations.rename_relations(connection)
                present = {name for (name,) in connection.execute("select nspname from pg_namespace")}
                for name in SCHEMAS:
                    if name not in present:
                        connection.execute(f"create schema {name}")
                schema.create(connection)
                application_schema.create(connection)
                entity_lookup.create(connection)
                explain_schema.create(connection)
                live_views.create(connection)
                alerts_schema.create(connection)
                renamed_checks.rename_recorded_checks(connection)
                row_policies.create_lookups(connection)
                metric_functions_schema.create(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            grant = f'grant create, temporary on database "{warehouse.database}" to "{warehouse.user}"'
            raise rights_are_missing(warehouse, [grant]) from error
        grants.grant(warehouse, connection)


def _prepare_server(warehouse: Warehouse) -> None:
    """Create the embedded server's roles and databases, and make the changes that only its superuser may make."""
    from warehouse.roles import hardening

    wanted = [DATABASE]
    own_application = f"@{warehouse.host}:{warehouse.port}/{APPLICATION_DATABASE}"
    if warehouse.application_url and warehouse.application_url.endswith(own_application):
        wanted.append(APPLICATION_DATABASE)
    with warehouse.connect_to(warehouse.superuser_url(SUPERUSER), autocommit=True) as connection:
        # As below, but on the server's own database: the warehouse may not be there yet.
        connection.execute("select pg_advisory_lock(%s)", [AdvisoryLock.PROVISIONING])
        roles = {name for (name,) in connection.execute("select rolname from pg_roles")}
        if OWNER not in roles:
            connection.execute(f"create role {OWNER} login {password_clause(connection, OWNER, warehouse.password)}")
        create_roles(warehouse, connection)
        databases = {name for (name,) in connection.execute("select datname from pg_database")}
        for name in wanted:
            if name not in databases:
                connection.execute(f"create database {name} owner {OWNER}")
        # Which databases a reader may enter is granted, not given.
        others = connection.execute(
            "select format('revoke connect on database %%I from public', datname) from pg_database"
            " where datname <> %s and datallowconn and has_database_privilege(%s, oid, 'connect')",
            [DATABASE, BI_READER.name],
        ).fetchall()
        for (statement,) in others:
            connection.execute(statement)
        with warehouse.connect_to(warehouse.superuser_url(DATABASE), autocommit=True) as inside:
            inside.execute("create extension if not exists pg_stat_statements")
            with inside.transaction():
                for statement in hardening.statements(inside, owner=OWNER):
                    inside.execute(statement)
