"""The tables of schemas marts and published: made from the dbt contracts, migrated with them, and never dropped, so
that grants, policies and comments stay. Moving rows into them is in publication.py, who may see them in roles/.
"""

import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import sql

from ingestion.window import Window
from orchestration.roles import policies, rights
from orchestration.roles.declared import AUDIENCES, MARTS, PUBLISHED
from orchestration.scopes import Scope

# A BI query may hold a mart for a while; publication waits this long for it and no longer, and is tried again.
LOCK_SECONDS: Final = 30
# A try for all marts that change waits this long for each, and longer every time: never as long as the second after
# which Postgres looks for deadlocks and ends somebody, who could be a reader.
_FIRST_TRY_MS: Final = 50
_LONGEST_TRY_MS: Final = 800
_BETWEEN_TRIES_SECONDS: Final = 0.05


class ColumnsChanged(Exception):
    """A mart's contract and its table differ in more than new columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a mart, as its dbt contract has it."""

    name: str
    data_type: str
    is_nullable: bool
    description: str


@dataclass(frozen=True, slots=True)
class Mart:
    """A table that is published: its columns, the column that carries its day, and the columns that identify a row."""

    name: str
    description: str
    columns: tuple[Column, ...]
    date_column: str
    grain: tuple[str, ...]
    # By audience, the column that says whose a row is. Without, the mart is for BI alone.
    portals: Mapping[str, str] = field(default_factory=dict, hash=False)
    # Where it is published: what only the pipeline reads has a schema of its own.
    schema: str = MARTS
    scope: Scope = Scope.DAY
    # Columns by which coarser marts look up single rows.
    lookups: tuple[tuple[str, ...], ...] = ()

    @property
    def table(self) -> sql.Identifier:
        """Its table, qualified."""
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
    if not (portals.keys() <= set(audiences) and set(portals.values()) <= model["columns"].keys()):
        raise ValueError(
            f"meta.portal of {model['name']} is {portals}: it names a column of the mart for {' or '.join(audiences)}"
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
    )


def make_readable(connection: psycopg.Connection, marts: Sequence[Mart]) -> None:
    """Before a build: every mart has a table with at least the columns of its contract, which coarser ones read."""
    with connection.transaction(), connection.cursor() as cursor:
        for mart in marts:
            existing = _existing_columns(cursor, mart)
            if not existing:
                _create_table(cursor, mart)
            elif not existing.keys() >= {column.name for column in mart.columns}:
                _lock(cursor, [mart])
                _add_columns(cursor, mart, existing.keys())


def prepare(cursor: psycopg.Cursor, marts: Sequence[Mart], window: Window) -> None:
    """Give every mart a table with the columns of its contract, its policies, grants and comments, in the transaction
    of the publication.

    Columns that are new are added. Columns that are gone or of another type are changed too when the window holds every
    published day, as in the job "rebuild": no row stays that they could be wrong for. Otherwise raises
    ColumnsChanged. What is right already is not touched, so that nobody waits for it.
    """
    cursor.execute(
        "select count(*) from ops.published_days where not (event_date >= %s and event_date < %s)",
        [window.start, window.end],
    )
    (days_outside,) = cursor.fetchone() or (0,)
    changed = {}
    for mart in marts:
        existing = _existing_columns(cursor, mart)
        wanted = {column.name: column.data_type.replace(", ", ",") for column in mart.columns}
        obsolete = sorted(name for name, data_type in existing.items() if wanted.get(name) != data_type)
        if obsolete and days_outside:
            raise ColumnsChanged(
                f"{mart.schema}.{mart.name} has columns that its contract does not have, or has with another type:"
                f' {obsolete}. Only new columns migrate by themselves; run the job "rebuild" over all published days.'
            )
        if not existing:
            _create_table(cursor, mart)
        elif existing != wanted or (mart.schema == MARTS and not policies.is_guarded(cursor, mart.name, mart.portals)):
            changed[mart] = (existing.keys(), obsolete)
    _lock(cursor, list(changed))
    for mart, (existing_names, obsolete) in changed.items():
        # A column that a policy names cannot be dropped; nobody reads before the policies are back.
        if mart.schema == MARTS:
            policies.unguard(cursor, mart.name, mart.portals)
        if obsolete:
            _drop_columns(cursor, mart, obsolete)
        _add_columns(cursor, mart, existing_names - set(obsolete))
        _guard(cursor, mart)
    for mart in marts:
        _comment(cursor, mart)
    rights.take_back(cursor)


def _lock(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> None:
    """Keep readers out of these marts, all of them or, while one is still read, none: a reader that has begun with
    another mart may wait for us while we wait for it. Raises LockNotAvailable after LOCK_SECONDS."""
    if not marts:
        return
    tables = sql.SQL(", ").join(mart.table for mart in marts)
    (patience,) = cursor.execute("select current_setting('lock_timeout')").fetchone() or ("0",)
    deadline = time.monotonic() + LOCK_SECONDS
    try_ms = _FIRST_TRY_MS
    while True:
        try:
            with cursor.connection.transaction():
                cursor.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(try_ms)))
                cursor.execute(sql.SQL("lock table {} in access exclusive mode").format(tables))
                cursor.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(patience)))
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(_BETWEEN_TRIES_SECONDS)
            try_ms = min(2 * try_ms, _LONGEST_TRY_MS)
        else:
            return


def _existing_columns(cursor: psycopg.Cursor, mart: Mart) -> dict[str, str]:
    cursor.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [f"{mart.schema}.{mart.name}"],
    )
    return dict(cursor.fetchall())


def _create_table(cursor: psycopg.Cursor, mart: Mart) -> None:
    columns = sql.SQL(", ").join(_column_definition(column) for column in mart.columns)
    cursor.execute(sql.SQL("create table {} ({})").format(mart.table, columns))
    _create_indexes(cursor, mart)
    _guard(cursor, mart)


def _guard(cursor: psycopg.Cursor, mart: Mart) -> None:
    # Nobody but the owner enters the other schema.
    if mart.schema == MARTS:
        policies.guard(cursor, mart.name, mart.portals)


def _column_definition(column: Column) -> sql.Composable:
    definition = sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.data_type))
    return definition if column.is_nullable else definition + sql.SQL(" not null")


def _comment(cursor: psycopg.Cursor, mart: Mart) -> None:
    """Make the table's comments those of the contract."""
    found: dict[str, str] = dict(
        cursor.execute(
            "select coalesce(attname, ''), description from pg_description"
            " left join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0"
            " where objoid = %s::regclass and classoid = 'pg_class'::regclass",
            [f"{mart.schema}.{mart.name}"],
        ).fetchall()
    )
    wanted = {"": mart.description} | {column.name: column.description for column in mart.columns}
    for name, text in wanted.items():
        if found.get(name, "") != text:
            kind = sql.SQL("column {}.{}") if name else sql.SQL("table {}")
            thing = kind.format(mart.table, *([sql.Identifier(name)] if name else []))
            cursor.execute(sql.SQL("comment on {} is {}").format(thing, sql.Literal(text)))


def _drop_columns(cursor: psycopg.Cursor, mart: Mart, names: Sequence[str]) -> None:
    # The grain's index may go with a column; it comes back when the columns are complete.
    cursor.execute(sql.SQL("drop index if exists {}").format(sql.Identifier(mart.schema, _grain_index(mart))))
    cursor.execute(sql.SQL("delete from {}").format(mart.table))
    for name in names:
        cursor.execute(sql.SQL("alter table {} drop column {}").format(mart.table, sql.Identifier(name)))


def _add_columns(cursor: psycopg.Cursor, mart: Mart, existing: Set[str]) -> None:
    for column in mart.columns:
        if column.name not in existing:
            # Rows published before have no value for it until their days, stale from now on, are built again.
            cursor.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    mart.table,
                    sql.Identifier(column.name),
                    sql.SQL(column.data_type),
                )
            )
    _create_indexes(cursor, mart)


def _grain_index(mart: Mart) -> str:
    return f"{mart.name}_grain"


def _create_indexes(cursor: psycopg.Cursor, mart: Mart) -> None:
    # Nulls are one group; a plain unique index would let the same group in again.
    unique = sql.SQL("create unique index if not exists {} on {} ({}) nulls not distinct")
    _create_index(cursor, mart, unique, _grain_index(mart), mart.grain)
    # Publication deletes by day, portals see the rows of one, coarser marts look rows up: none must read all for it.
    singly = [mart.date_column] if mart.scope is not Scope.SNAPSHOT else []
    for columns in (*([column] for column in (*singly, *mart.portals.values())), *mart.lookups):
        if mart.grain[: len(columns)] != tuple(columns):
            plain = sql.SQL("create index if not exists {} on {} ({})")
            _create_index(cursor, mart, plain, f"{mart.name}_{'_'.join(columns)}", columns)


def _create_index(cursor: psycopg.Cursor, mart: Mart, statement: sql.SQL, name: str, columns: Sequence[str]) -> None:
    listed = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    cursor.execute(statement.format(sql.Identifier(name), mart.table, listed))
