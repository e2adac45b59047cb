"""What is published: the marts as their dbt contracts declare them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from publishing.scopes import Scope
from warehouse.reader_roles import AUDIENCES, EVERY_ROW, MARTS, PUBLISHED


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a mart, as its dbt contract has it."""

    name: str
    data_type: str
    is_nullable: bool
    description: str


@dataclass(frozen=True, slots=True)
class Mart:
    """What is published: its columns, the column that carries its day, and the columns that identify a row."""

    name: str
    description: str
    columns: tuple[Column, ...]
    date_column: str
    grain: tuple[str, ...]
    # By audience, the column that says whose a row is, or EVERY_ROW. Without, the mart is for BI alone.
    portals: Mapping[str, str] = field(default_factory=dict, hash=False)
    # Where it is published: what only the pipeline reads has a schema of its own.
    schema: str = MARTS
    scope: Scope = Scope.DAY
    # Columns by which coarser marts look up single rows.
    lookups: tuple[tuple[str, ...], ...] = ()
    # A view over other marts: no rows of its own are moved.
    is_view: bool = False

    @property
    def relation(self) -> sql.Identifier:
        """Its table or view, qualified."""
        return sql.Identifier(self.schema, self.name)


def marts_of(manifest: Mapping[str, Any]) -> tuple[Mart, ...]:
    """Every dbt model of schema build, by name. Raises KeyError when one lacks its contract, window or grain, and
    ValueError when its `meta` has a scope or `portal: {creator: creator_id}` that there is not."""
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
        schema=MARTS if model["access"] == "public" else PUBLISHED,
        scope=Scope(meta.get("scope", "day")),
        lookups=tuple(tuple(columns) for columns in meta.get("indexes", [])),
        is_view=model["config"]["materialized"] == "view",
    )
