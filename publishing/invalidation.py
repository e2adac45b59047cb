"""Invalidation: a rebuilt window makes days stale that look back at it or share a session with it across midnight.

A model with a lookback reads the intermediate tables as they are. A rebuilt day that differs from before leaves the
difference in ops.changed_*; here it becomes stale days. Once no day is stale, every day is right, whatever the order of
builds. A rebuilt day without a difference costs nothing. Days that a load makes stale are in publishing/stale_days.py.
"""

from datetime import date
from typing import Final

import psycopg
from psycopg import sql

from attribution.weeks import FIT_DAYS
from publishing.dbt_manifest import lookback_days
from warehouse.single_values import exist
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

# A link between a device and an actor that appears or disappears affects the days from then to the next day with the
# old link. Dates in the queue count as neither, since one build may have written several.
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
# Visitors: the later days on which the device was seen.
_VISITORS: Final = (
    _LINKS
    + """
    select seen.event_date
    from changed
    inner join intermediate.int_identity_observations as seen using (anonymous_id)
    where seen.event_date > changed_date and seen.event_date < known_date
    """
)

# Paths follow links: conversions of actors that are or were linked to the device, with its touchpoints in their
# lookback.
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

# A link that disappeared together with the touchpoint is in the queue only.
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

# A funnel step depends on earlier steps of the same visitor and asset.
_FUNNELS: Final = """
    select step.event_date
    from ops.changed_funnel_events as changed
    inner join intermediate.int_funnel_events as step
        on (step.visitor_id, step.ip_asset_id) = (changed.visitor_id, changed.ip_asset_id)
        and step.step_number > changed.step_number
        and step.event_date > changed.event_date
        and step.event_date <= changed.event_date + %(funnel_days)s
"""

# A week's fit is computed from the days before its Monday; days of that week were credited by it.
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
# The days of a week whose fit has other values now.
_REFITTED: Final = """
    select %(monday)s::date + n as event_date from generate_series(0, 6) as n
"""

# The later day names its events that continue a session of the earlier day; the earlier day has a copy of them, its
# next-day part. Every column of the copy is compared, so that any change makes the earlier day stale.
_NEXT_DAY_COLUMNS: Final = (
    "event_id, event_type, event_source, actor_id, anonymous_id, tracker_session_id, session_key, session_id,"
    " ip_asset_id, project_id, license_id, channel, source, medium, campaign, utm_source, origin_channel,"
    " origin_source, origin_medium, origin_campaign, origin_utm_source, device_type, browser, os, page_path,"
    " revenue_cents, fee_cents, value_cents, engagement_time, is_bot, is_view, is_click, is_conversion,"
    " has_only_license, session_date, event_date, occurred_at"
)
_MIDNIGHT: Final = f"""
    with copied as (
        select {_NEXT_DAY_COLUMNS} from intermediate.int_events_sessionized
        where written_with_date = %(earlier)s and is_next_day_part
    ),
    continued as (
        select {_NEXT_DAY_COLUMNS} from intermediate.int_events_sessionized
        where written_with_date = %(later)s and session_date = %(earlier)s and not is_next_day_part
    )
    select %(neighbour)s::date as event_date
    where exists (
        (select * from copied except select * from continued)
        union all
        (select * from continued except select * from copied)
    )
"""


def invalidate_lookbacks(connection: psycopg.Connection, window: Window) -> dict[str, int]:
    """Mark days outside the window as stale that look back at a difference, and empty the queues of differences.

    Fits that were computed from such days become outdated. Run it while holding the warehouse: before weeks are fitted
    on the models built so far, and when all models are built. Returns the number of days marked, by reason.
    """
    parameters = {
        "lookback_days": lookback_days("attribution"),
        "funnel_days": lookback_days("funnel"),
        "fit_days": FIT_DAYS,
    }
    marked: dict[str, int] = {}
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select ops.assert_writer()")

        def mark(reason: str, affected: str) -> None:
            count = _mark(cursor, window, reason, affected, **parameters)
            if count:
                marked[reason] = marked.get(reason, 0) + count

        if exist(cursor, "intermediate.int_identity_observations"):
            mark("identity_changed", _VISITORS)
        if exist(cursor, "intermediate.int_sessions", "intermediate.int_conversion_paths"):
            mark("identity_changed", _LINKED_PATHS)
            mark("touchpoints_changed", _TOUCHED_PATHS)
        if exist(cursor, "intermediate.int_funnel_events"):
            mark("funnel_steps_changed", _FUNNELS)
        if exist(cursor, "ops.attribution_fits"):
            cursor.execute(
                f"update ops.attribution_fits set is_outdated = true where week_start in ({_OUTDATED_FITS})", parameters
            )
        for queue in ("changed_links", "changed_touchpoints", "changed_conversions", "changed_funnel_events"):
            cursor.execute(sql.SQL("delete from {}").format(sql.Identifier("ops", queue)))
    return marked


def invalidate_midnight_neighbours(connection: psycopg.Connection, window: Window) -> int:
    """Mark the days before and after a built window as stale that differ from it about a session across midnight.

    Run it while holding the warehouse. Returns the number of days marked.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select ops.assert_writer()")
        if not exist(cursor, "intermediate.int_events_sessionized"):
            return 0
        return sum(
            _mark(
                cursor,
                window,
                "sessions_cross_midnight",
                _MIDNIGHT,
                later=later,
                earlier=later - ONE_DAY,
                neighbour=neighbour,
            )
            for later, neighbour in ((window.start, window.start - ONE_DAY), (window.end, window.end))
        )


def mark_refitted(cursor: psycopg.Cursor, monday: date, *, besides: Window | None = None) -> None:
    """Mark the built days of a week as stale whose fit has other values now.

    Days of `besides` are left out: the build under way credits them by the new values.
    """
    _mark(cursor, besides, "attribution_refitted", _REFITTED, monday=monday)


def _mark(cursor: psycopg.Cursor, besides: Window | None, reason: str, affected: str, **parameters: object) -> int:
    start, end = (besides.start, besides.end) if besides else (None, None)
    values = {**parameters, "start": start, "end": end, "reason": reason}
    cursor.execute(_MARK.format(affected=affected), values, prepare=False)
    return max(cursor.rowcount, 0)
