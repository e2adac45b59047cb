"""Creation of the metric functions of schema marts, with their comments and the rights to call them."""

from typing import Final

import psycopg
from psycopg import sql

from publishing.metric_functions.asset_access import asset_access_function
from publishing.metric_functions.asset_functions import ASSET_FUNCTIONS
from publishing.metric_functions.asset_period_functions import ASSET_PERIOD_FUNCTIONS
from publishing.metric_functions.brand_functions import BRAND_FUNCTIONS
from publishing.metric_functions.creator_functions import CREATOR_FUNCTIONS
from publishing.metric_functions.declarations import MetricFunction
from publishing.metric_functions.event_functions import EVENT_FUNCTIONS
from publishing.metric_functions.platform_functions import PLATFORM_FUNCTIONS
from publishing.metric_functions.span_functions import SPAN_FUNCTIONS
from warehouse.roles.readers import ALL_READERS
from warehouse.single_values import value_of

# Functions of readers, each after those that it calls.
FUNCTIONS: Final = (
    *SPAN_FUNCTIONS,
    *ASSET_FUNCTIONS,
    *ASSET_PERIOD_FUNCTIONS,
    *CREATOR_FUNCTIONS,
    *BRAND_FUNCTIONS,
    *PLATFORM_FUNCTIONS,
    *EVENT_FUNCTIONS,
)


def create(connection: psycopg.Connection) -> None:
    """Create or replace the functions. The roles of readers and the table of their logins exist."""
    with connection.transaction(), connection.cursor() as cursor:
        owner = str(value_of(cursor, "select current_user"))
        for function in (asset_access_function(owner), *FUNCTIONS):
            _create(cursor, function)


def _create(cursor: psycopg.Cursor, function: MetricFunction) -> None:
    try:
        with cursor.connection.transaction():
            cursor.execute(function.statement.encode())
    except psycopg.errors.InvalidFunctionDefinition:
        # An older version returns other columns.
        cursor.execute(sql.SQL("drop function {}").format(_signature(function)))
        cursor.execute(function.statement.encode())
    signature = _signature(function)
    cursor.execute(sql.SQL("comment on function {} is {}").format(signature, sql.Literal(function.description)))
    others = [role for role in ALL_READERS if role not in function.callers]
    revoked = sql.SQL(", ").join([sql.SQL("public"), *map(sql.Identifier, others)])
    cursor.execute(sql.SQL("revoke all on function {} from {}").format(signature, revoked))
    if function.callers:
        granted = sql.SQL(", ").join(map(sql.Identifier, function.callers))
        cursor.execute(sql.SQL("grant execute on function {} to {}").format(signature, granted))


def _signature(function: MetricFunction) -> sql.Composable:
    """Return the name with the types of the parameters that go in."""
    parameters = [part.strip() for part in function.parameters.split(",")]
    types = [part.split()[1] for part in parameters if not part.startswith("out ")]
    return sql.SQL("{}({})").format(sql.Identifier(*function.name.split(".")), sql.SQL(", ").join(map(sql.SQL, types)))
