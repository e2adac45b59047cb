"""Publication: the rows of a window move from schema build to schemas marts and rollups, in one transaction.

Only days move whose build is complete and whose checks have passed. publishing/mart_tables.py prepares the tables,
publishing/mart_views.py the views over them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import psycopg
from psycopg import sql

from publishing import applied_models, builds, freshness, mart_keys, mart_removal, mart_tables, mart_views, stale_days
from publishing.mart_locks import LOCK_SECONDS, MartsInUse
from publishing.marts import Mart
from publishing.scopes import Scope, replaced
from warehouse.roles import grants
from warehouse.roles.readers import MARTS
from warehouse.roles.row_policies import RolesMissing
from warehouse.window import Window
from warehouse.writer_lock import assert_writer

# Days are compared in windows of at most this length, which covers the sensor's runs. Comparing takes as long as
# publishing.
MAX_COMPARED_DAYS: Final = 31


@dataclass(frozen=True, slots=True)
class Publication:
    """Counts and names of one publication.

    Attributes:
        rows: The number of rows moved, by mart that is a table. Days that come out as they were published stay.
        dropped: Marts that were dropped because their model no longer exists.
        kept: Marts without a model that stay because other relations read them.
        withheld: Marts that wait for a plan, or that a plan publishes at its end.
        days_unchanged: The number of days that are as they were published before. None: not compared.
    """

    rows: Mapping[str, int]
    dropped: Sequence[str]
    kept: Sequence[str]
    withheld: Sequence[str]
    days_unchanged: int | None


class PublicationRefused(Exception):
    """The window may not be published; BI reads what it read before."""


def publish(
    connection: psycopg.Connection,
    *,
    marts: Sequence[Mart],
    window: Window,
    run_id: str,
    raw_checks: Sequence[str],
    build_checks: Sequence[str],
) -> Publication:
    """Replace the rows of a window in every mart, and drop marts without a model, in one transaction.

    Marts that wait for a plan, or that a plan publishes at its end, stay as they are.

    `marts` are all of the project. The run holds the warehouse, and built the window last. All `raw_checks` must have
    passed on the state of raw that the days were built from, and all `build_checks` on the complete build of every day.
    Raises PublicationRefused where a condition does not hold: it names the days, and nothing changes.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("set local synchronous_commit = on")
        cursor.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(f"{LOCK_SECONDS}s")))
        assert_writer(cursor, run_id)
        _assert_publishable(cursor, window, raw_checks, build_checks)
        withheld = applied_models.withheld(cursor, window)
        published = [mart for mart in marts if mart.name not in withheld]
        try:
            is_full_rebuild = builds.is_full_rebuild(cursor, window)
            mart_tables.migrate_tables(cursor, published, window)
            mart_views.create_views(cursor, published)
            mart_keys.declare(cursor, published)
            grants.revoke_surplus(cursor)
        except (
            builds.WindowMismatch,
            mart_tables.ColumnsChanged,
            mart_views.ViewMissing,
            RolesMissing,
            MartsInUse,
        ) as error:
            raise PublicationRefused(f"nothing of {window} was published: {error}") from error
        built = builds.built_models(cursor)
        replacements = [
            Replacement(mart, window, is_full_rebuild=is_full_rebuild)
            for mart in published
            if not mart.is_view and (built is None or mart.name in built)
        ]
        compared = None
        if len(window) <= MAX_COMPARED_DAYS:
            compared = stale_days.published_days(cursor).intersection(window.days())
        unchanged = set(compared or ())
        rows: dict[str, int] = {}
        for replacement in replacements:
            days = None
            if compared and replacement.mart.scope is Scope.DAY:
                changed = replacement.changed_days(cursor)
                unchanged -= changed
                days = [day for day in window.days() if day not in compared or day in changed]
            rows[replacement.mart.name] = replacement.apply(cursor, days)
        cursor.execute(_RECORD, {"start": window.start, "end": window.end, "run_id": run_id})
        cursor.execute(_REMOVE_STALE_MARKS, {"start": window.start, "end": window.end})
        dropped, kept, waiting = mart_removal.drop_removed(cursor, marts)
        names = [mart.name for mart in published if mart.schema == MARTS]
        freshness.record(cursor, names, window, run_id=run_id, kept=[*kept, *waiting, *withheld])
    return Publication(rows, dropped, kept, sorted(withheld), None if compared is None else len(unchanged))


class Replacement:
    """The published rows of a mart that a run for the window deletes, and the rows of schema build that it inserts.

    With `is_full_rebuild` the build has rebuilt rollups that are otherwise updated incrementally.
    """

    def __init__(self, mart: Mart, window: Window, *, is_full_rebuild: bool) -> None:
        self.mart = mart
        self._columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in mart.columns)
        built, date = sql.Identifier("build", mart.name), sql.Identifier(mart.date_column)
        deleted: sql.Composable = sql.SQL("true")
        inserted: sql.Composable = sql.SQL("true")
        dates = replaced(mart.scope, window)
        if dates:
            bounds = {"date": date, "start": sql.Literal(dates.start), "end": sql.Literal(dates.end)}
            deleted = inserted = sql.SQL("{date} >= {start} and {date} < {end}").format(**bounds)
        elif mart.scope is Scope.KEYS:
            inserted = sql.SQL("{} is not null").format(date)
            if not is_full_rebuild:
                keys = sql.SQL(", ").join(sql.Identifier(column) for column in mart.grain)
                deleted = sql.SQL("({keys}) in (select {keys} from {built})").format(keys=keys, built=built)
        self._deleted = deleted
        self._delete_deletions = sql.SQL("delete from {} where {} is null").format(built, date)
        # Queries of the rows on both sides.
        rows = sql.SQL("select {columns} from {relation} where {condition}")
        self.deleted_rows = rows.format(columns=self._columns, relation=mart.relation, condition=deleted)
        self.inserted_rows = rows.format(columns=self._columns, relation=built, condition=inserted)

    def apply(self, cursor: psycopg.Cursor, days: Collection[date] | None = None) -> int:
        """Delete and insert, all rows or those of some days. Return the number of rows inserted."""
        if days is not None and not days:
            return 0
        only: sql.Composable = sql.SQL("true")
        if days is not None:
            only = sql.SQL("{} = any({})").format(sql.Identifier(self.mart.date_column), sql.Literal(list(days)))
        names = {"mart": self.mart.relation, "columns": self._columns, "rows": self.inserted_rows, "only": only}
        cursor.execute(sql.SQL("delete from {mart} where {deleted} and {only}").format(**names, deleted=self._deleted))
        inserted = cursor.execute(sql.SQL("insert into {mart} ({columns}) {rows} and {only}").format(**names)).rowcount
        if self.mart.scope is Scope.KEYS:
            # Deletions are carried out now. Of a person who was erased they would be the last trace.
            cursor.execute(self._delete_deletions)
        return inserted

    def changed_days(self, cursor: psycopg.Cursor) -> set[date]:
        """Return the days whose rows differ between the two sides."""
        cursor.execute(
            sql.SQL(
                "select distinct {date} from"
                " (({deleted} except all {inserted}) union all ({inserted} except all {deleted})) as different"
            ).format(date=sql.Identifier(self.mart.date_column), deleted=self.deleted_rows, inserted=self.inserted_rows)
        )
        return {day for (day,) in cursor.fetchall()}


_UNPUBLISHABLE: Final = """
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
    select event_date, 'is sealed, and keeps its published numbers' from days where event_date < ops.sealed_before()
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
    -- A result on raw holds for every build made before a load changed the day again.
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
        _UNPUBLISHABLE,
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

# Changes after the beginning of the build leave the day stale.
_REMOVE_STALE_MARKS: Final = """
delete from ops.stale_day_marks as stale using ops.built_days as built
where stale.event_date >= %(start)s and stale.event_date < %(end)s
    and built.event_date = stale.event_date and stale.change_id <= built.change_id
"""
