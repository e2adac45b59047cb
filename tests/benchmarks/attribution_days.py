"""The days of the attribution benchmark: raw events made by Postgres itself, so that a year of them takes a minute.

Five events a session, seven sessions in ten with a tracker's id, one in six signed in, four in ten with an origin, one
conversion in a hundred events, visitors who come back.
"""

from datetime import date
from typing import Final

import psycopg

from ingestion import day_partitions
from warehouse.window import Window

EVENTS_PER_SESSION: Final = 5

# Reproducible: every choice is a hash of the day and the number of the session or event.
_EVENTS: Final = """
    insert into raw.events (
        event_date, event_key, event_id, event_type, occurred_at, received_at, source, actor_id, actor_type,
        anonymous_id, session_id, ip_asset_id, license_id, revenue_cents, engagement_time, props, device_type,
        browser, os, is_bot, canonical_hash, load_id, line_number
    )
    select
        %(day)s::date, event_key, md5(event_key)::uuid,
        case when nth_hash %% 100 = 0 then 'license_created' when nth_hash %% 100 < 40 then 'page_viewed'
            when nth_hash %% 100 < 80 then 'asset_viewed' else 'asset_downloaded' end,
        occurred_at, occurred_at + interval '2 seconds', 'web',
        case when session_hash %% 6 = 0 then 'user-' || device / 2 end,
        case when session_hash %% 6 = 0 then 'user' end,
        'device-' || device,
        case when session_hash %% 10 < 7 then md5(%(day)s::text || ' session ' || session_number)::uuid end,
        case when nth_hash %% 100 >= 40 then 'asset-' || nth_hash %% 3000 end,
        null,
        case when nth_hash %% 100 = 0 then nth_hash %% 100000 end,
        nth_hash %% 300, jsonb_build_object('path', '/assets/' || nth_hash %% 3000),
        'desktop', 'Firefox', 'Linux', false, '\\x00', 1, event_number
    from (
        select event_number, session_number, session_hash, event_key, nth_hash,
            -- A few thousand come every week, most come once.
            (%(visitors)s * power((session_hash / 7 %% 1000003) / 1000003.0, 2))::bigint as device,
            %(day)s::timestamptz
                + make_interval(secs => session_hash %% 86000 + nth * (20 + session_hash %% 60)) as occurred_at
        from (
            select event_number, event_number / %(per_session)s as session_number,
                event_number %% %(per_session)s as nth,
                %(day)s::text || ' ' || event_number as event_key,
                abs(hashtextextended(%(day)s::text || ' ' || event_number / %(per_session)s, 1)) as session_hash,
                abs(hashtextextended(%(day)s::text || ' ' || event_number, 2)) as nth_hash
            from generate_series(0, %(events)s - 1) as event_number
        ) as numbered
    ) as placed
    where occurred_at < %(day)s::timestamptz + interval '1 day'
    order by device, occurred_at
"""

_ATTRIBUTION: Final = """
    insert into raw.attribution (
        event_date, event_key, event_id, utm_source, utm_medium, utm_campaign, utm_source_normalized,
        utm_medium_normalized, utm_campaign_normalized, referrer, landing_page, load_id, line_number
    )
    select event_date, event_key, event_id, names.source, medium, campaign, names.source, medium, campaign,
        case when kind >= 2 then (array['https://www.google.com/', 'https://www.reddit.com/r/art'])[kind - 1] end,
        'https://licensery.example/', 1, line_number
    from (
        select *, line_number / %(per_session)s %% 4 as kind from raw.events
        where event_date = %(day)s::date and line_number %% %(per_session)s = 0
            and line_number / %(per_session)s %% 10 < 4
    ) as first_events
    cross join lateral (
        select (array['google', 'newsletter'])[kind + 1] as source, (array['cpc', 'email'])[kind + 1] as medium,
            case when kind < 2 then 'campaign-' || line_number %% 20 end as campaign
    ) as names
"""


def fill(connection: psycopg.Connection, window: Window, *, events: int, visitors: int) -> None:
    """Store so many events on every day of the window, of so many visitors in all, in a transaction a day."""
    for day in window.days():
        parameters = _parameters(day, events, visitors)
        with connection.transaction(), connection.cursor() as cursor:
            day_partitions.create(cursor, [day])
            cursor.execute(_EVENTS, parameters, prepare=False)
            cursor.execute(_ATTRIBUTION, parameters, prepare=False)
            # As a load does it.
            for partition in day_partitions.names(day):
                cursor.execute(f"analyze {partition} (event_date, event_key)")


def _parameters(day: date, events: int, visitors: int) -> dict[str, object]:
    return {"day": day.isoformat(), "events": events, "visitors": visitors, "per_session": EVENTS_PER_SESSION}
