"""Queues of schema ops, DDL only: changes by loads, reads and builds that affect other days.

publishing/stale_days.py and publishing/invalidation.py turn them into stale days.
"""

from typing import TYPE_CHECKING, Final

from warehouse.single_values import value_of

if TYPE_CHECKING:
    import psycopg

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
    'Days on which an asset has other owners or licenses than before; consumed when those with events of it are marked stale.';

create table if not exists ops.changed_links (
    event_date date not null,
    anonymous_id text not null,
    actor_id text
);
comment on table ops.changed_links is
    'Links between devices and actors that a rebuilt day has gained or lost; consumed when the later days that they
affect are marked stale. The actor is null for a device without one.';

create table if not exists ops.changed_touchpoints (
    session_date date not null,
    identity_id text not null
);
comment on table ops.changed_touchpoints is
    'Devices and actors whose touchpoints differ on a rebuilt day; consumed when the days of conversions are marked stale.';

create table if not exists ops.changed_conversions (
    conversion_date date not null
);
comment on table ops.changed_conversions is
    'Days with other conversions, or other paths to them, than before; consumed when fits from these days become outdated.';

create table if not exists ops.changed_funnel_events (
    event_date date not null,
    visitor_id text not null,
    ip_asset_id text not null,
    step_number integer not null
);
comment on table ops.changed_funnel_events is
    'Funnel steps that differ on a rebuilt day; consumed when later days of the same visitor and asset are marked stale.';
"""


def next_change_id(cursor: "psycopg.Cursor") -> int:
    """Return the id of a new change of raw."""
    return int(value_of(cursor, "select nextval('ops.change_id_seq')"))
