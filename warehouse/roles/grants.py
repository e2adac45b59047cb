"""Rights of the reading roles in the warehouse's database, found as the statements that are still missing.

warehouse/roles/row_policies.py decides which rows of a mart they see.
"""

from typing import TYPE_CHECKING, Final

from warehouse.connection import STORAGE_SCHEMA, Warehouse
from warehouse.roles.provisioning import rights_are_missing
from warehouse.roles.readers import ACCESS, ALL_READERS, BI_READER, MARTS, POLICED, ROLLUPS

if TYPE_CHECKING:
    import psycopg

CLOSED_SCHEMAS: Final = ("public", "raw", "ops", STORAGE_SCHEMA, "staging", "intermediate", "build", ROLLUPS, ACCESS)

# Rights of other roles stay, but public loses temporary tables and schema public.
_MISSING_GRANTS: Final = """
with settings as (
    select %(marts)s::text as marts, %(bi)s::text as bi, current_database()::text as database
),
readers as (select unnest(%(everybody)s::text[]) as reader)
select format('grant connect on database %%I to %%I', database, reader) from settings, readers
where not has_database_privilege(reader, database, 'connect')
union all
select format('grant temporary on database %%I to %%I', database, current_user) from settings, readers
where has_database_privilege(reader, database, 'temporary')
union all
select format('revoke temporary, create on database %%I from public, %%I', database, reader) from settings, readers
where has_database_privilege(reader, database, 'temporary') or has_database_privilege(reader, database, 'create')
union all
select format('revoke all on schema %%I from public, %%I', nspname, reader) from readers, pg_namespace
where nspname = any(%(closed)s)
    and (has_schema_privilege(reader, oid, 'usage') or has_schema_privilege(reader, oid, 'create'))
union all
select format('grant usage on schema %%I to %%I', marts, reader) from settings, readers
where not has_schema_privilege(reader, marts, 'usage')
union all
select format('revoke create on schema %%I from public, %%I', marts, reader) from settings, readers
where has_schema_privilege(reader, marts, 'create')
union all
select format('grant select on all tables in schema %%I to %%I', marts, bi) from settings
where exists (
    select from pg_class
    where relnamespace = marts::regnamespace and relkind in ('r', 'p', 'v', 'm')
        and not has_table_privilege(bi, oid, 'select')
)
union all
select format('alter default privileges in schema %%I grant select on tables to %%I', marts, bi) from settings
where not exists (
    select from pg_default_acl as defaults, aclexplode(defaults.defaclacl) as granted
    where defaults.defaclrole = current_user::regrole and defaults.defaclnamespace = marts::regnamespace
        and granted.grantee = bi::regrole and granted.privilege_type = 'SELECT'
)
"""

# Views, partitions and copies bypass the policies of the table that they read; views with security_invoker, as marts
# are, do not. Roles and logins that see only their own rows therefore keep rights on such views and on tables whose
# policies name their role. Public keeps none.
_SURPLUS_GRANTS: Final = """
with policed as (
    select pg_roles.oid, rolname as holder, rolname as role from pg_roles where rolname = any(%(policed)s)
    union all
    select members.member, members.member::regrole::text, pg_roles.rolname
    from pg_auth_members as members
    inner join pg_roles on pg_roles.oid = members.roleid
    where pg_roles.rolname = any(%(policed)s) and members.member::regrole <> current_user::regrole
        and not (select rolsuper or rolcreaterole from pg_roles as holders where holders.oid = members.member)
    union all
    select 0::oid, 'public', null
),
granted as (
    select oid as relation, grantee, privilege_type from pg_class, aclexplode(relacl)
    where relnamespace = %(marts)s::regnamespace
    union all
    select attrelid, grantee, 'of a column' from pg_attribute, aclexplode(attacl)
    where attrelid in (select oid from pg_class where relnamespace = %(marts)s::regnamespace)
),
held as (
    select relations.relname, policed.holder, granted.privilege_type, coalesce(
        policed.holder = policed.role and (
            relations.relkind = 'v' and 'security_invoker=true' = any(relations.reloptions)
            or relations.relrowsecurity and exists (
                select from pg_policy where polrelid = relations.oid and policed.oid = any(polroles)
            )
        ),
        false
    ) as is_policed
    from pg_class as relations
    inner join granted on granted.relation = relations.oid
    inner join policed on policed.oid = granted.grantee
    where relations.relkind in ('r', 'p', 'v', 'm', 'f')
),
surplus as (
    select distinct relname, quote_ident(holder) as holder, is_policed
    from held where not (is_policed and privilege_type = 'SELECT')
)
select statement
from surplus, lateral (values
    (1, format('revoke all on marts.%%I from %%s', relname, holder), true),
    (2, format('grant select on marts.%%I to %%s', relname, holder), is_policed)
) as statements(place, statement, is_wanted)
where is_wanted
order by relname, holder, place
"""


def grant(warehouse: Warehouse, connection: "psycopg.Connection") -> None:
    """Grant and revoke what is missing. Raises WarehouseUnavailable with the statements that the owner may not run."""
    import psycopg

    with connection.transaction(), connection.cursor() as cursor:
        missing = missing_statements(cursor)
        try:
            for statement in missing:
                cursor.execute(statement)
        except psycopg.errors.InsufficientPrivilege as error:
            raise rights_are_missing(warehouse, missing) from error
        # Postgres only warns a user who may not revoke.
        if missing and (left := missing_statements(cursor)):
            raise rights_are_missing(warehouse, left)


def revoke_surplus(cursor: "psycopg.Cursor") -> None:
    """Revoke rights in schema marts that bypass policies, such as those that a person granted by hand."""
    for statement in _surplus(cursor):
        cursor.execute(statement)


def missing_statements(cursor: "psycopg.Cursor") -> list[str]:
    """Return the statements that are to be run so that the reading roles have their rights and no others."""
    parameters = {
        "everybody": list(ALL_READERS),
        "bi": BI_READER.name,
        "marts": MARTS,
        "closed": list(CLOSED_SCHEMAS),
    }
    rows = cursor.execute(_MISSING_GRANTS, parameters).fetchall()
    return list(dict.fromkeys(statement for (statement,) in rows)) + _surplus(cursor)


def _surplus(cursor: "psycopg.Cursor") -> list[str]:
    rows = cursor.execute(_SURPLUS_GRANTS, {"policed": list(POLICED), "marts": MARTS}).fetchall()
    return [statement for (statement,) in rows]
