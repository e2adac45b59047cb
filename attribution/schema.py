"""Tables of fits, as DDL. fitting.py fills them."""

from typing import Final

import psycopg

from warehouse.locks import AdvisoryLock
from warehouse.missing_ddl import add_columns, set_comments

# Schemas and names of the tables that a rebuild drops.
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
    'Value of each channel for the conversions of an ISO week. Only ratios within a week and model are meaningful.';

create table if not exists ops.attribution_fits (
    week_start date primary key,
    journeys bigint not null,
    converting_journeys bigint not null,
    standard_error numeric(20, 12),
    model_version text not null,
    build_id text not null,
    fitted_at timestamptz not null default clock_timestamp()
);
"""

_COMMENTS: Final = {
    "ops.attribution_fits": "Fitted ISO weeks, including those without a journey. The next build fits a week without a"
    " row.",
    "ops.attribution_fits.is_outdated": "A day of the fit has changed since. The build that changed the day fits the"
    " week again.",
    "ops.attribution_fits.standard_error": "Greatest standard error of a shapley value, where orders were sampled; null"
    " where all values are exact.",
}


def create(connection: psycopg.Connection) -> None:
    """Create missing tables. Schema ops must exist."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.ATTRIBUTION_DDL])
        cursor.execute(_DDL)
        add_columns(cursor, "ops.attribution_fits", {"is_outdated": "boolean not null default false"})
        set_comments(cursor, _COMMENTS)
