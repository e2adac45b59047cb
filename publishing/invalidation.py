"""Which other days a rebuilt window makes stale: those whose results looked back at it, and the neighbours with which
it shares sessions. What a load makes stale by itself is in staleness.py.

A model that looks back reads the intermediate tables as they are. Where the day that it read is rebuilt and says
otherwise than before, replace_window leaves that in ops.changed_*; here it becomes stale days. So every day is right
once no day is stale, in whatever order they were built, and a rebuilt day that says the same as before costs nothing.
"""

from datetime import date
from typing import Final

import psycopg
from psycopg import sql

from attribution.weeks import FIT_DAYS
from publishing.dbt_manifest import lookback_days
from warehouse.window import ONE_DAY, Window

_MARK: Final = """
    insert into ops.stale_day_marks (event_date, layer, reason, change_id)
    select built.event_date, 'events', %(reason)s, nextval('ops.change_id_seq')
    from ops.built_days as built
    inner join (select distinct event_date from ({affected}) as days) as affected using (event_date)
    where not coalesce(built.event_date >= %(start)s::date and built.event_date < %(end)s::date, false)
    on conflict (event_date, layer, reason) do update
    set change_id = excluded.change_id, recorded_at = excluded.recorded_at
"""

# What a pair seen together, or no longer, changes is known from that day until the first day on which it is seen as
# before. Dates that are in the queue count as neither: one build may have written several.
_LINKS: Final = """
    with touched as (
        select distinct anonymous_id, actor_id, event_date from ops.changed_links where actor_id is not null
    ),
    pairs as (
        select anonymous_id, actor_id, min(event_date) as changed_date from touched group by anonymous_id, actor_id
    ),
    known as (
        select anonymous_id, actor_id, min(event_date) as known_date
        from pairs
        inner join intermediate.int_identity_observations as seen using (anonymous_id, actor_id)
        where not exists (
            select from touched where (touched.anonymous_id, touched.actor_id, touched.event_date)
                = (seen.anonymous_id, seen.actor_id, seen.event_date)
        )
        group by anonymous_id, actor_id
    ),
    changed as (
        select anonymous_id, actor_id, changed_date, coalesce(known_date, 'infinity') as known_date
        from pairs
        left join known using (anonymous_id, actor_id)
        where known_date is null or known_date > changed_date
    )
"""
# The later days on which the device was seen.
_VISITORS: Final = (
    _LINKS
    + """
    select seen.event_date
    from changed
    inner join intermediate.int_identity_observations as seen using (anonymous_id)
    where seen.event_date > changed_date and seen.event_date < known_date
    """
)

# Paths follow links: conversions of whoever is or was linked to the device, with its touchpoints in their lookback.
_LINKED_PATHS: Final = (
    _LINKS
    + """
    , actors as (
        select * from changed
        union
        select anonymous_id, seen.actor_id, changed_date, known_date
        from changed
        inner join intermediate.int_identity_observations as seen using (anonymous_id)
        where seen.actor_id is not null
    )
    select path.conversion_date as event_date
    from actors
    inner join intermediate.int_sessions as touch on touch.identity_id = 'anonymous:' || actors.anonymous_id
    inner join intermediate.int_conversion_paths as path
        on path.visitor_id = 'actor:' || actors.actor_id
        and path.conversion_date >= actors.changed_date and path.conversion_date < actors.known_date
        and path.conversion_date >= touch.session_date
        and path.conversion_date <= touch.session_date + %(lookback_days)s
    """
)

# A link that went together with the touchpoint is in the queue only.
_TOUCHED_PATHS: Final = """
    with changed as (
        select distinct session_date, identity_id from ops.changed_touchpoints
    ),
    links as (
        select anonymous_id, actor_id from intermediate.int_identity_observations
        union all
        select anonymous_id, actor_id from ops.changed_links
    ),
    visitors as (
        select session_date, identity_id as visitor_id from changed
        union
        select changed.session_date, 'actor:' || links.actor_id
        from changed
        inner join links
            on changed.identity_id like 'anonymous:%%'
            and links.anonymous_id = substr(changed.identity_id, length('anonymous:') + 1)
        where links.actor_id is not null
    )
    select path.conversion_date as event_date
    from visitors
    inner join intermediate.int_conversion_paths as path
        on path.visitor_id = visitors.visitor_id
        and path.conversion_date >= visitors.session_date
        and path.conversion_date <= visitors.session_date + %(lookback_days)s
"""

# A step of the funnel may be reached by earlier ones of the same visitor and asset.
_FUNNELS: Final = """
    select step.event_date
    from ops.changed_funnel_events as changed
    inner join intermediate.int_funnel_events as step
        on (step.visitor_id, step.ip_asset_id) = (changed.visitor_id, changed.ip_asset_id)
        and step.step_number > changed.step_number
        and step.event_date > changed.event_date
        and step.event_date <= changed.event_date + %(funnel_days)s
"""

# A week's fit has seen the days before its Monday; days of that week were credited by it.
_OUTDATED_FITS: Final = """
    select fit.week_start
    from ops.attribution_fits as fit
    where exists (
        select from (
            select session_date as event_date from ops.changed_touchpoints
            union all
            select conversion_date from ops.changed_conversions
        ) as changed
        where changed.event_date < fit.week_start and changed.event_date >= fit.week_start - %(fit_days)s
    )
"""
# The days of a week, whose credits were made by a fit with other values.
_REFITTED: Final = """
    select %(monday)s::date + n as event_date from generate_series(0, 6) as n
"""

# The later day says which of its events continue a session of the earlier one; the earlier day says what it took. All
# that a tail holds has to be told by the later day, or a change of it would not reach the day before.
_SHARED: Final = (
    "event_id, event_type, event_source, actor_id, anonymous_id, tracker_session_id, session_key, session_id,"
    " ip_asset_id, project_id, license_id, channel, source, medium, campaign, utm_source, origin_channel,"
    " origin_source, origin_medium, origin_campaign, origin_utm_source, device_type, browser, os, page_path,"
    " revenue_cents, fee_cents, value_cents, engagement_time, is_bot, is_view, is_click, is_conversion,"
    " names_license_only, session_date, event_date, occurred_at"
)
_MIDNIGHT: Final = f"""
    with taken as (
        select {_SHARED} from intermediate.int_events_sessionized
        where window_date = %(earlier)s and is_tail
    ),
    given as (
        select {_SHARED} from intermediate.int_events_sessionized
        where window_date = %(later)s and session_date = %(earlier)s and not is_tail
    )
    select %(neighbour)s::date as event_date
    where exists (
        (select * from taken except select * from given) union all (select * from given except select * from taken)
    )
"""


def spread(connection: psycopg.Connection, window: Window, *, is_built: bool = True) -> dict[str, int]:
    """Turn what the rebuilding of days inside `window` changed for days outside it into stale days, and forget it.

    Returns days marked, by reason. Fits that saw what has changed are outdated; this build makes them anew. To be
    run by whoever holds the warehouse: when all models are built, and, as not built, before weeks are fitted on what is
    built so far. The window is compared with its neighbours only when it is built.
    """
    parameters = {
        "start": window.start,
        "end": window.end,
        "lookback_days": lookback_days("attribution"),
        "funnel_days": lookback_days("funnel"),
        "fit_days": FIT_DAYS,
    }
    marked: dict[str, int] = {}

    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select ops.assert_writer()")

        def mark(reason: str, affected: str, **more: object) -> None:
            cursor.execute(_MARK.format(affected=affected), {**parameters, **more, "reason": reason}, prepare=False)
            if cursor.rowcount > 0:
                marked[reason] = marked.get(reason, 0) + cursor.rowcount

        if _exist(cursor, "intermediate.int_identity_observations"):
            mark("identity_changed", _VISITORS)
        if _exist(cursor, "intermediate.int_sessions", "intermediate.int_conversion_paths"):
            mark("identity_changed", _LINKED_PATHS)
            mark("touchpoints_changed", _TOUCHED_PATHS)
        if _exist(cursor, "intermediate.int_funnel_events"):
            mark("funnel_steps_changed", _FUNNELS)
        if _exist(cursor, "ops.attribution_fits"):
            cursor.execute(
                f"update ops.attribution_fits set is_outdated = true where week_start in ({_OUTDATED_FITS})", parameters
            )
        if is_built and _exist(cursor, "intermediate.int_events_sessionized"):
            for later, neighbour in ((window.start, window.start - ONE_DAY), (window.end, window.end)):
                mark("sessions_cross_midnight", _MIDNIGHT, later=later, earlier=later - ONE_DAY, neighbour=neighbour)
        for queue in ("changed_links", "changed_touchpoints", "changed_conversions", "changed_funnel_events"):
            cursor.execute(sql.SQL("delete from {}").format(sql.Identifier("ops", queue)))
    return marked


def mark_refitted(cursor: psycopg.Cursor, monday: date, *, besides: Window | None = None) -> None:
    """Make the built days of a week stale, whose fit has other values now, but for those of a window that is credited
    by the new ones."""
    nowhere = {"start": None, "end": None}
    bounds = {"start": besides.start, "end": besides.end} if besides else nowhere
    parameters = {**bounds, "monday": monday, "reason": "attribution_refitted"}
    cursor.execute(_MARK.format(affected=_REFITTED), parameters, prepare=False)


def _exist(cursor: psycopg.Cursor, *tables: str) -> bool:
    cursor.execute("select bool_and(to_regclass(name) is not null) from unnest(%s::text[]) as name", [list(tables)])
    (all_exist,) = cursor.fetchone() or (False,)
    return bool(all_exist)
