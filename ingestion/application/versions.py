"""SQL of version tables: temporary tables of incoming rows, comparison with current versions, append of new ones.

Statements are for one table; sync.py executes them in order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import psycopg

from ingestion.application.schema import Table
from ingestion.contract import MAX_CENTS


@dataclass(frozen=True, slots=True)
class Comparison:
    """Counts of the new versions of a table. `before` is the number of rows before the append."""

    versions_appended: int
    removed: int
    before: int


def create_incoming(cursor: psycopg.Cursor, table: Table) -> None:
    """Create the temporary tables for the rows and ids of a table."""
    cursor.execute(_CREATE_INCOMING.format(**_parts(table)))


def clear_incoming(cursor: psycopg.Cursor, table: Table) -> None:
    """Delete the incoming rows."""
    cursor.execute(f"truncate {_parts(table)['incoming']}")


def copy_into(cursor: psycopg.Cursor, table: Table, lines: Iterable[bytes], *, are_ids: bool) -> int:
    """Copy lines of COPY's text format, whole rows or only ids, to their temporary table. Returns their number."""
    target = _parts(table)["present" if are_ids else "incoming"]
    columns = ["id"] if are_ids else [column.raw_name for column in table.streamed_columns]
    with cursor.copy(f"copy {target} ({', '.join(columns)}) from stdin (format text, encoding 'UTF8')") as copy:
        for line in lines:
            copy.write(line)
    count = cursor.rowcount
    cursor.execute(f"analyze {target}")
    return count


def has_unknown_ids(cursor: psycopg.Cursor, table: Table) -> bool:
    """Return whether the application has rows that are neither incoming nor current in raw: new, with an old time."""
    cursor.execute(_UNKNOWN_IDS.format(**_parts(table)))
    return cursor.fetchone() is not None


def compare(cursor: psycopg.Cursor, table: Table, *, present: int | None, rows: int, observed_date: date) -> Comparison:
    """Collect the new versions in a temporary table.

    `present` is the number of incoming ids; None after a full read, which has no ids.
    """
    parts = _parts(table)
    present_now = parts["incoming" if present is None else "present"]
    cursor.execute(_CREATE_DELTA.format(present_now=present_now, **parts), {"observed_date": observed_date})
    counts = "count(*), count(*) filter (where is_removed), count(*) filter (where is_new)"
    cursor.execute(f"select {counts} from {parts['delta']}")
    appended, removed, new = cursor.fetchone() or (0, 0, 0)
    return Comparison(appended, removed, before=(rows if present is None else present) - new + removed)


def amounts_over_limit(cursor: psycopg.Cursor, table: Table) -> list[tuple[str, str, int]]:
    """Return up to three amounts over the limit among the new versions: id, column and cents."""
    amounts = [column.name for column in table.columns if column.name.endswith("_cents")]
    if not amounts:
        return []
    found = " union all ".join(
        f"select id, '{name}' as column_name, {name} as cents from {_parts(table)['delta']}"
        f" where not is_removed and abs({name}::numeric) > {MAX_CENTS}"
        for name in amounts
    )
    return cursor.execute(f"{found} order by id, column_name limit 3").fetchall()


def append(cursor: psycopg.Cursor, table: Table, change_id: int) -> None:
    """Append the new versions to raw."""
    cursor.execute(_APPEND.format(**_parts(table)), [change_id])


def record_changed_licenses(cursor: psycopg.Cursor, change_id: int) -> int:
    """Record licenses that are new, deleted, restored, or have another asset or project. Call it before `append`."""
    return cursor.execute(_RECORD_CHANGED_LICENSES, [change_id]).rowcount


def drop_incoming(cursor: psycopg.Cursor, table: Table) -> None:
    """Drop the temporary tables."""
    cursor.execute("drop table {incoming}, {present}, {delta}".format(**_parts(table)))


def _parts(table: Table) -> dict[str, str]:
    temporary = {kind: f"pg_temp.{kind}_{table.name}" for kind in ("incoming", "present", "delta")}
    return {
        **temporary,
        "raw": f"raw.{table.name}",
        "columns": ", ".join(table.raw_names),
        "incoming_columns": ", ".join(f"incoming.{name}" for name in table.raw_names),
        "latest_columns": ", ".join(f"latest.{name}" for name in table.raw_names),
    }


_CREATE_INCOMING: Final = """
    create temporary table {incoming} as select {columns} from {raw} with no data;
    alter table {incoming} add primary key (id);
    create temporary table {present} (id text primary key)
"""

_UNKNOWN_IDS: Final = """
    with latest as (
        select distinct on (id) id, is_removed from {raw} order by id, change_id desc
    )
    select 1
    from {present} as present
    where
        not exists (select from {incoming} as incoming where incoming.id = present.id)
        and not exists (select from latest where latest.id = present.id and not latest.is_removed)
    limit 1
"""

_CREATE_DELTA: Final = """
    create temporary table {delta} as
    with latest as (
        select distinct on (id) * from {raw} order by id, change_id desc
    ),
    incoming as (
        select *, sha256(convert_to(jsonb_build_array({columns})::text, 'UTF8')) as version_hash from {incoming}
    )
    select
        {incoming_columns},
        incoming.version_hash,
        greatest(%(observed_date)s::date, latest.observed_date) as observed_date,
        false as is_removed,
        latest.id is null or latest.is_removed as is_new
    from incoming
    left join latest on incoming.id = latest.id
    where latest.id is null or latest.is_removed or latest.version_hash <> incoming.version_hash
    union all
    select
        {latest_columns},
        latest.version_hash,
        greatest(%(observed_date)s::date, latest.observed_date) as observed_date,
        true as is_removed,
        false as is_new
    from latest
    where not latest.is_removed and not exists (select from {present_now} as present where present.id = latest.id)
"""

_APPEND: Final = """
    insert into {raw} ({columns}, version_hash, observed_date, is_removed, change_id)
    select {columns}, version_hash, observed_date, is_removed, %s from {delta}
"""

_RECORD_CHANGED_LICENSES: Final = """
    insert into ops.changed_licenses (change_id, license_id)
    select %s, delta.id
    from pg_temp.delta_licenses as delta
    left join lateral (
        select * from raw.licenses as version where version.id = delta.id order by version.change_id desc limit 1
    ) as latest on true
    where
        latest.id is null
        or latest.is_removed <> delta.is_removed
        or (latest.ip_asset_id, latest.project_id) is distinct from (delta.ip_asset_id, delta.project_id)
    """
