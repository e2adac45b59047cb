"""Freshness of marts: view `marts.data_freshness` for BI users, and views of ops for operators.

The views read records that publication writes in its own transaction. They always agree with the marts, and a day that
becomes stale shows at once.
"""

import json
from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import sql

from publishing import stale_reasons
from publishing.mart_views import has_query
from publishing.model_versions import NOT_BUILT
from warehouse.locks import AdvisoryLock
from warehouse.missing_ddl import set_comments
from warehouse.retention import SEALED_BEFORE
from warehouse.roles.readers import MARTS
from warehouse.window import ONE_DAY, Window

# By NOTIFY: {"run_id": ..., "start": day, "end": day after the last, "marts": [names] or null for all of them}.
CHANNEL: Final = "marts_published"
# Postgres refuses 8,000 and more.
_NOTIFICATION_BYTES: Final = 7_900

_VIEWS: Final = {
    "ops.stale_days": (stale_reasons.VIEW, stale_reasons.COMMENTS),
    "ops.published_loads": (
        """
        select days.event_date, days.run_id, days.model_version, loads.load_id, loads.landing_date, loads.file,
            loads.checksum
        from ops.published_days as days
        inner join ops.loads as loads
            on loads.change_id <= days.change_id and days.event_date = any(loads.event_dates)
        left join ops.loads as successors on successors.load_id = loads.replaced_by
        where successors.change_id is null or successors.change_id > days.change_id
        """,
        {
            "": "The versions of landing files that a published day was built from. Grain: one row per day and load.",
        },
    ),
    "ops.check_states": (
        f"""
        with failing as (
            select results.check_name, day
            from ops.check_results as results, unnest(results.bad_days) as day
            where not results.is_passed and day >= {SEALED_BEFORE} and not exists (
                select from ops.check_results as later
                where later.check_name = results.check_name and later.checked_at > results.checked_at and (
                    later.covers_all_days
                    or later.window_start <= day and later.window_end > day
                    or day = any(later.bad_days)
                )
            )
            group by results.check_name, day
        ),
        latest as (
            select distinct on (check_name) check_name, severity, checked_at
            from ops.check_results
            order by check_name, checked_at desc
        )
        select latest.check_name, latest.severity, failing.days is null as is_passing,
            coalesce(failing.days, '{{}}') as failing_days, latest.checked_at
        from latest
        left join (
            select check_name, array_agg(day order by day) as days from failing group by check_name
        ) as failing using (check_name)
        """,
        {
            "": "The state of each check over all days; a run that passes changes nothing about the days of other runs."
            " Grain: one row per check.",
            "is_passing": "No day is left whose last result is a failure.",
            "failing_days": "The event days whose last result is a failure, but for sealed ones.",
            "checked_at": "When the check last ran, for whichever days.",
        },
    ),
    "marts.data_freshness": (
        f"""
        with stale as (
            select count(distinct event_date) as stale_days, min(event_date) as oldest_stale_date from ops.stale_days
        )
        select published.mart, published.last_published_date, published.published_at, published.run_id,
            stale.stale_days, stale.oldest_stale_date,
            case
                when applied.version is distinct from applied.planned_version then 'in progress'
                when applied.version is not null and coalesce(wanted.version, '{NOT_BUILT}') = '{NOT_BUILT}'
                    then 'waits'
            end as plan,
            older.days as older_version_days, applied.mixed_since
        from ops.published_marts as published
        cross join stale
        left join ops.applied_models as applied on applied.model = published.mart
        left join (
            select models.model, models.version
            from ops.wanted_version as wanted
            inner join ops.model_versions as models on models.project_version = wanted.model_version
        ) as wanted on wanted.model = published.mart
        left join lateral (
            select range_agg(daterange(days.event_date, days.event_date + 1)) as days
            from ops.published_days as days
            left join ops.model_versions as built
                on built.project_version = days.model_version and built.model = published.mart
            where built.version is distinct from applied.planned_version and days.event_date >= {SEALED_BEFORE}
        ) as older
            on applied.version is distinct from applied.planned_version
            and exists (select from ops.applied_plan where is_in_place)
        """,
        {
            "": "How current each mart is. Grain: one row per mart.",
            "mart": "The name of the table or view in schema marts.",
            "last_published_date": "The last UTC day that has been published to the mart.",
            "published_at": "When the mart was last published, for whichever days.",
            "run_id": "The run that published it then; all marts of a publication have the same.",
            "stale_days": "How many days are known to differ from what has been loaded since, or were loaded and never"
            " published; they are being run again, or a check holds them back.",
            "oldest_stale_date": "The first of these days; null when there are none.",
            "plan": "Null, or why the mart gets no new days: it waits for a plan (waits), or a plan is making its new"
            " version (in progress). It keeps its last published day until the plan is carried out.",
            "older_version_days": "While a plan publishes each chunk when it is ready: the published days that are"
            " still of the older version. Else null.",
            "mixed_since": "The first day with the present version of the mart, where a plan has left older days"
            " as they were. Weeks, months and periods mix both. Else null.",
        },
    ),
}


def create(connection: psycopg.Connection) -> None:
    """Create the views that are missing or have another query. Schemas ops and marts and their tables exist."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.FRESHNESS_DDL])
        for name, (query, comments) in _VIEWS.items():
            _create_view(cursor, name, query)
            set_comments(cursor, {f"{name}.{column}".rstrip("."): text for column, text in comments.items()})


def _create_view(cursor: psycopg.Cursor, name: str, query: str) -> None:
    if has_query(cursor, name, query, "security_barrier=true"):
        return  # it stays readable
    identifier = sql.Identifier(*name.split("."))
    cursor.execute(sql.SQL("drop view if exists {} cascade").format(identifier))
    cursor.execute(sql.SQL("create view {} with (security_barrier) as {}").format(identifier, sql.SQL(query)))


def record(
    cursor: psycopg.Cursor, marts: Sequence[str], window: Window, *, run_id: str, kept: Sequence[str] = ()
) -> None:
    """Record the publication of these marts and notify listeners, in the publication's transaction.

    `kept` are marts, with or without their schema, that are published and not part of this publication: those of a
    plan, and those without a model that could not be dropped. Their records stay.
    """
    last_day = window.end - ONE_DAY
    present = [*marts, *(name.removeprefix(f"{MARTS}.") for name in kept)]
    cursor.execute("delete from ops.published_marts where not mart = any(%s)", [present])
    cursor.execute(
        """
        insert into ops.published_marts as published (mart, last_published_date, run_id)
        select mart, %(last_day)s, %(run_id)s from unnest(%(marts)s::text[]) as mart
        on conflict (mart) do update
        set last_published_date = greatest(published.last_published_date, excluded.last_published_date),
            run_id = excluded.run_id, published_at = excluded.published_at
        """,
        {"marts": list(marts), "last_day": last_day, "run_id": run_id},
    )
    message = {"run_id": run_id, "start": window.start.isoformat(), "end": window.end.isoformat(), "marts": list(marts)}
    text = json.dumps(message)
    if len(text.encode()) > _NOTIFICATION_BYTES:
        # Null stands for all marts.
        text = json.dumps(message | {"marts": None})
    cursor.execute("select pg_notify(%s, %s)", [CHANNEL, text])
