"""Marts as their dbt contracts declare them: columns, grain, scope, portals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from publishing.scopes import Scope, scope_of
from warehouse.roles.readers import AUDIENCES, EVERY_ROW, MARTS, ROLLUPS


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a mart, as its dbt contract has it."""

    name: str
    data_type: str
    is_nullable: bool
    description: str


@dataclass(frozen=True, slots=True)
class Mart:
    """A published table or view: its columns, the column with its day, and the columns that identify a row."""

    name: str
    description: str
    columns: tuple[Column, ...]
    date_column: str
    grain: tuple[str, ...]
    # By audience, the column with a row's owner, or EVERY_ROW. Without an audience the mart is for BI alone.
    portals: Mapping[str, str] = field(default_factory=dict, hash=False)
    # The schema of publication; marts that only the pipeline reads have one of their own.
    schema: str = MARTS
    scope: Scope = Scope.DAY
    # Columns by which rollups look up single rows.
    lookups: tuple[tuple[str, ...], ...] = ()
    # A view over other marts, without rows to move.
    is_view: bool = False
    # What the ids of other marts stand for: its grain is one column, and the key of columns with that name.
    is_dimension: bool = False

    @property
    def relation(self) -> sql.Identifier:
        """The qualified name of the table or view."""
        return sql.Identifier(self.schema, self.name)

    @property
    def comments(self) -> Mapping[str, str]:
        """The comments of the table or view and its columns, by qualified name."""
        name = f"{self.schema}.{self.name}"
        return {name: self.description} | {f"{name}.{column.name}": column.description for column in self.columns}


def marts_of(manifest: Mapping[str, Any]) -> tuple[Mart, ...]:
    """Return every dbt model of schema build, sorted by name.

    Raises:
        KeyError: A model lacks its contract, event_time or grain.
        ValueError: `meta.scope` or `meta.portal` of a model names an unknown scope, audience or column.
    """
    models = (
        node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["schema"] == "build"
    )
    return tuple(sorted((_mart(model) for model in models), key=lambda mart: mart.name))


def _mart(model: Mapping[str, Any]) -> Mart:
    meta = model["config"]["meta"]
    portals = dict(meta.get("portal", {}))
    audiences = [audience.name for audience in AUDIENCES]
    if not (portals.keys() <= set(audiences) and set(portals.values()) <= {*model["columns"], EVERY_ROW}):
        raise ValueError(
            f"meta.portal of {model['name']} is {portals}: it names a column of the mart, or {EVERY_ROW!r} for all"
            f" rows, for {' or '.join(audiences)}"
        )
    return Mart(
        name=model["name"],
        description=model["description"],
        columns=tuple(
            Column(
                column["name"],
                column["data_type"],
                all(constraint["type"] != "not_null" for constraint in column["constraints"]),
                column["description"],
            )
            for column in model["columns"].values()
        ),
        date_column=model["config"]["event_time"],
        grain=tuple(meta["grain"]),
        portals=portals,
        schema=MARTS if model["access"] == "public" else ROLLUPS,
        scope=scope_of(model),
        lookups=tuple(tuple(columns) for columns in meta.get("indexes", [])),
        is_view=model["config"]["materialized"] == "view",
        is_dimension=bool(meta.get("dimension", False)),
    )
