"""Hardening: rights that Postgres gives to public in any database and that readers of marts do not need.

Only a superuser may revoke them. On the embedded server provisioning does; on another one an administrator may, with
the statements that this module lists. The limits of warehouse/roles/superuser_limits.py are among them.

Left open, since closing it protects nothing: pg_sleep (a long query waits as well), NOTIFY (a statement, not a
function), advisory information functions, and names, types and comments of the catalog, which clients need.
"""

from typing import TYPE_CHECKING, Final

from warehouse.roles import superuser_limits
from warehouse.roles.readers import BI_READER

if TYPE_CHECKING:
    import psycopg

# Large objects are storage outside every schema, advisory locks keep runs apart, messages fill the write-ahead log. The
# others print the definitions of views and functions of every schema.
_FUNCTIONS: Final = (
    r"^(lo_creat|lo_create|lo_from_bytea|pg_(try_)?advisory_.*lock.*|pg_logical_emit_message"
    r"|pg_get_(viewdef|ruledef|functiondef|function_sqlbody))$"
)
# The columns that store these definitions. Clients read other columns of these tables by name.
_COLUMNS: Final = (
    ("pg_proc", "prosrc"),
    ("pg_proc", "prosqlbody"),
    ("pg_rewrite", "ev_action"),
    ("pg_rewrite", "ev_qual"),
)

_STATEMENTS: Final = """
with needed as (
    select oid::regprocedure::text as closed, place, statement
    from pg_proc, lateral (values
        (1, format('grant execute on function %%s to %%I', oid::regprocedure, %(owner)s::text)),
        (2, format('revoke execute on function %%s from public', oid::regprocedure))
    ) as statements(place, statement)
    where pronamespace = 'pg_catalog'::regnamespace and proname ~ %(functions)s
        and has_function_privilege(%(reader)s, oid, 'execute')
    union all
    select relname, place, statement
    from (
        select relname, string_agg(quote_ident(attname), ', ' order by attnum) as open_columns
        from pg_class
        inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        where relnamespace = 'pg_catalog'::regnamespace
            and (relname, attname) not in (select * from unnest(%(tables)s::text[], %(columns)s::text[]))
            and relname = any(%(tables)s) and has_table_privilege(%(reader)s, pg_class.oid, 'select')
        group by relname
    ) as tables, lateral (values
        (1, format('grant select on pg_catalog.%%I to %%I', relname, %(owner)s::text)),
        (2, format('revoke select on pg_catalog.%%I from public', relname)),
        (3, format('grant select (%%s) on pg_catalog.%%I to public', open_columns, relname))
    ) as statements(place, statement)
)
select statement from needed order by closed, place
"""


def statements(connection: "psycopg.Connection", *, owner: str) -> list[str]:
    """Return the statements that a superuser still has to run in this database. The owner keeps its rights."""
    parameters = {
        "owner": owner,
        "reader": BI_READER.name,
        "functions": _FUNCTIONS,
        "tables": [table for table, _ in _COLUMNS],
        "columns": [column for _, column in _COLUMNS],
    }
    closed = [statement for (statement,) in connection.execute(_STATEMENTS, parameters)]
    return closed + superuser_limits.statements(connection)
