"""The queues of schema ops: what a load, a read or a build has changed for other days, until it becomes stale days. DDL
only; they are consumed in orchestration, by staleness.py and lookbacks.py.
"""

from typing import Final

DDL: Final = """
create table if not exists ops.changed_licenses (
    change_id bigint not null,
    license_id text not null,
    primary key (change_id, license_id)
);
comment on table ops.changed_licenses is
    'Licenses whose asset or project became known or changed; consumed when the days that name them are marked stale.';

create table if not exists ops.changed_terms (
    change_id bigint not null,
    ip_asset_id text not null,
    days datemultirange not null
);
comment on table ops.changed_terms is
    'Days on which an asset has other owners or licenses than was known; consumed when those of them on which it had events are marked stale.';

create table if not exists ops.changed_links (
    event_date date not null,
    anonymous_id text not null,
    actor_id text
);
comment on table ops.changed_links is
    'Devices and actors that a rebuilt day sees together and did not before, or no longer; consumed when the later days
that they touch are marked stale. Of a device without an actor the actor is null.';

create table if not exists ops.changed_touchpoints (
    session_date date not null,
    identity_id text not null
);
comment on table ops.changed_touchpoints is
    'Whose touchpoints a rebuilt day has otherwise than before; consumed when the days of conversions are marked stale.';

create table if not exists ops.changed_conversions (
    conversion_date date not null
);
comment on table ops.changed_conversions is
    'Days that have other conversions, or paths to them, than before; consumed when what was fitted on them is dropped.';

create table if not exists ops.changed_funnel_events (
    event_date date not null,
    visitor_id text not null,
    ip_asset_id text not null,
    step_number integer not null
);
comment on table ops.changed_funnel_events is
    'Steps of the funnel that a rebuilt day has otherwise than before; consumed when the later days of the same visitor
and asset are marked stale.';
"""
