"""The tables of the fits. DDL only: what fills them is in fitting.py.

`create` may be run at any time and by any process; it changes nothing that exists.
"""

from typing import Final

import psycopg

from warehouse.locks import AdvisoryLock

# Schema and name, as a rebuild drops them.
TABLES: Final = (("intermediate", "attribution_channel_values"), ("ops", "attribution_fits"))

_DDL: Final = """
create schema if not exists intermediate;

create table if not exists intermediate.attribution_channel_values (
    week_start date not null check (extract(isodow from week_start) = 1),
    model text not null check (model in ('markov', 'shapley')),
    channel text not null,
    value numeric(20, 12) not null check (value >= 0),
    primary key (week_start, model, channel)
);
comment on table intermediate.attribution_channel_values is
    'What each channel is worth to the conversions of an ISO week; only ratios within a week and model count.';

create table if not exists ops.attribution_fits (
    week_start date primary key,
    journeys bigint not null,
    converting_journeys bigint not null,
    standard_error numeric(20, 12),
    model_version text not null,
    build_id text not null,
    fitted_at timestamptz not null default clock_timestamp()
);
do $$ begin
    -- Not "add column if not exists", which waits for whoever reads the table.
    if not exists (
        select from pg_attribute where attrelid = 'ops.attribution_fits'::regclass and attname = 'is_outdated'
    ) then
        alter table ops.attribution_fits add column is_outdated boolean not null default false;
    end if;
end $$;
comment on column ops.attribution_fits.is_outdated is
    'A day has changed since that the fit has seen; it is made anew by the build that changed the day.';
comment on table ops.attribution_fits is
    'The ISO weeks that are fitted, also those without a journey; a week without a row is fitted by its next build.';
comment on column ops.attribution_fits.standard_error is
    'The greatest of a channel''s shapley value, where orders were sampled; null where all was solved exactly.';
"""


def create(connection: psycopg.Connection) -> None:
    """Create the tables where they are missing; schema ops has to be there."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.ATTRIBUTION_DDL])
        cursor.execute(_DDL)
