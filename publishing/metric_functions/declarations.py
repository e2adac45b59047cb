"""Declaration of a metric function: its statement, its description, and the roles that may call it.

Every function is stable: all of its queries see the snapshot of the statement that calls it, which no publication
divides. It runs with a search path of its own, so that no other object can take the place of one that it names.
"""

from dataclasses import dataclass
from typing import Final

# Errors of the functions, which Python maps to exceptions (reporting/errors.py).
INVALID_DATE_RANGE: Final = "WH001"
NOT_FOUND: Final = "WH002"

# An id in a message: an id of a megabyte would make a message of a megabyte.
SHOWN_ID_LENGTH: Final = 100

# With the rights of the caller, whom the policies of marts restrict.
INVOKER: Final = "language plpgsql stable set search_path = pg_catalog, pg_temp"
# With the rights of the owner. Such a function checks the caller itself.
DEFINER: Final = f"{INVOKER} security definer"


@dataclass(frozen=True, slots=True)
class MetricFunction:
    """A function of schema marts or access.

    Attributes:
        name: The name with its schema.
        parameters: The parameters and, for some functions, output columns, as in `create function`.
        body: What stands between `create function name(parameters)` and the end of the body's text.
        description: The comment on the function.
        callers: The roles that may call it beside the owner.
    """

    name: str
    parameters: str
    body: str
    description: str
    callers: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """The statement that creates or replaces the function."""
        return f"create or replace function {self.name}({self.parameters}) {self.body}"


def body(result: str, kind: str, text: str) -> str:
    """Return the part of a function's statement after its parameters; an empty `result` where these have it."""
    return f"{result} {kind} as $function$\n{text.strip()}\n$function$"


def not_found(kind: str, parameter: str) -> str:
    """Return the statement that raises NotFound, alike for ids that do not exist and for those of others."""
    return (
        f"raise exception using errcode = '{NOT_FOUND}',"
        f" message = format('there is no {kind} \"%s\"', left({parameter}, {SHOWN_ID_LENGTH}));"
    )
