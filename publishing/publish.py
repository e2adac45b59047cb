"""From schema build to schemas marts and published: what BI reads has passed its gates, and all marts of a run change
together.

Rows move in one transaction, and only of days whose build is complete and whose checks are on record. The tables they
move into are in mart_tables.py, the views over these in mart_views.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from publishing import freshness, last_build, mart_removal, mart_tables, mart_views, unchanged_days
from publishing.mart_locks import LOCK_SECONDS
from publishing.marts import Mart
from publishing.replacement import Replacement
from warehouse.reader_roles import MARTS
from warehouse.roles import grants
from warehouse.roles.row_policies import RolesMissing
from warehouse.window import Window
from warehouse.writer_lock import assert_writer


@dataclass(frozen=True, slots=True)
class Publication:
    """What a publication did.

    `rows` are those published, by mart that is a table; `dropped` the marts whose model is gone, `kept` those of them
    that others read. `days_unchanged` counts the days that came out as they were published before; None: not compared.
    """

    rows: Mapping[str, int]
    dropped: Sequence[str]
    kept: Sequence[str]
    days_unchanged: int | None


class PublicationRefused(Exception):
    """The window may not be published; what BI reads has not changed."""


def publish(
    connection: psycopg.Connection,
    *,
    marts: Sequence[Mart],
    window: Window,
    run_id: str,
    raw_checks: Sequence[str],
    build_checks: Sequence[str],
) -> Publication:
    """Replace in every mart what a run for the window replaces, by its scope, with what was built for it, and drop the
    marts whose model is gone, in one transaction.

    Refuses, and changes nothing, unless the window is that of the last build, every day of it has a complete build,
    every check named in `build_checks` has passed on it, and every check in `raw_checks` on what it was made from.
    Raises PublicationRefused with the days and what is missing.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("set local synchronous_commit = on")
        cursor.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(f"{LOCK_SECONDS}s")))
        assert_writer(cursor, run_id)
        _assert_publishable(cursor, window, raw_checks, build_checks)
        try:
            is_full_rebuild = last_build.is_full_rebuild(cursor, window)
            mart_tables.migrate_tables(cursor, marts, window)
            mart_views.create_views(cursor, marts)
            grants.revoke_surplus(cursor)
        except (last_build.WindowMismatch, mart_tables.ColumnsChanged, mart_views.ViewMissing, RolesMissing) as error:
            raise PublicationRefused(f"nothing of {window} was published: {error}") from error
        tables = [mart for mart in marts if not mart.is_view]
        days_unchanged = unchanged_days.count_unchanged_days(cursor, marts, window, is_full_rebuild=is_full_rebuild)
        rows = {mart.name: _replace(cursor, mart, window, is_full_rebuild=is_full_rebuild) for mart in tables}
        cursor.execute(_RECORD, {"start": window.start, "end": window.end, "run_id": run_id})
        cursor.execute(_SETTLE, {"start": window.start, "end": window.end})
        dropped, kept = mart_removal.drop_removed(cursor, marts)
        published = [mart.name for mart in marts if mart.schema == MARTS]
        freshness.record(cursor, published, window, run_id=run_id, kept=kept)
    return Publication(rows, dropped, kept, days_unchanged)


def _replace(cursor: psycopg.Cursor, mart: Mart, window: Window, *, is_full_rebuild: bool) -> int:
    replacement = Replacement(mart, window, is_full_rebuild=is_full_rebuild)
    names = {"mart": mart.relation, "columns": replacement.columns, "inserted_rows": replacement.inserted_rows}
    cursor.execute(sql.SQL("delete from {mart} where {deleted}").format(**names, deleted=replacement.deleted))
    cursor.execute(sql.SQL("insert into {mart} ({columns}) {inserted_rows}").format(**names))
    return cursor.rowcount


_UNFIT: Final = """
with days as (
    select %(start)s::date + n as event_date from generate_series(0, %(end)s::date - %(start)s::date - 1) as n
),
built as (
    select days.event_date, built_days.build_id, built_days.change_id, coalesce(is_complete, false) as is_complete
    from days left join ops.built_days using (event_date)
),
missing as (
    select event_date, 'is not completely built' as problem from built where not is_complete
    union all
    select built.event_date, required.check_name || ' has not passed on build ' || built.build_id
    from built cross join unnest(%(build_checks)s::text[]) as required(check_name)
    where built.is_complete and not coalesce((
        select results.is_passed from ops.check_results as results
        where results.check_name = required.check_name and results.build_id = built.build_id
            and results.window_start <= built.event_date and results.window_end > built.event_date
        order by results.checked_at desc limit 1
    ), false)
    union all
    -- A verdict on raw counts for every build made before a load changed the day again.
    select built.event_date, required.check_name || ' has not passed on what build ' || built.build_id || ' read'
    from built cross join unnest(%(raw_checks)s::text[]) as required(check_name)
    where built.is_complete and not coalesce((
        select results.is_passed and not exists (
            select from ops.loads as loads
            where loads.change_id > results.change_id and loads.change_id <= built.change_id
                and built.event_date = any(loads.event_dates)
        )
        from ops.check_results as results
        where results.check_name = required.check_name
            and results.window_start <= built.event_date and results.window_end > built.event_date
        order by results.checked_at desc limit 1
    ), false)
)
select event_date, problem from missing order by event_date, problem
"""


def _assert_publishable(
    cursor: psycopg.Cursor, window: Window, raw_checks: Sequence[str], build_checks: Sequence[str]
) -> None:
    problems = cursor.execute(
        _UNFIT,
        {"start": window.start, "end": window.end, "raw_checks": list(raw_checks), "build_checks": list(build_checks)},
    ).fetchall()
    if problems:
        listed = "; ".join(f"{day} {problem}" for day, problem in problems[:10])
        more = f"; and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise PublicationRefused(
            f"nothing of {window} was published: {listed}{more}."
            " Run the whole chain for these days (job daily_refresh), or correct what the failed check names."
        )


_RECORD: Final = """
insert into ops.published_days (event_date, build_id, run_id, change_id, model_version)
select event_date, build_id, %(run_id)s, change_id, model_version
from ops.built_days where event_date >= %(start)s and event_date < %(end)s
on conflict (event_date) do update
set build_id = excluded.build_id, run_id = excluded.run_id, change_id = excluded.change_id,
    model_version = excluded.model_version, published_at = excluded.published_at
"""

# What became stale after the build had begun stays stale.
_SETTLE: Final = """
delete from ops.stale_day_marks as stale using ops.built_days as built
where stale.event_date >= %(start)s and stale.event_date < %(end)s
    and built.event_date = stale.event_date and stale.change_id <= built.change_id
"""
