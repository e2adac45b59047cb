"""The tables of ad spend in schemas raw and ops. DDL only: what fills them is in ad_spend.py."""

from typing import Final

import psycopg

from ingestion.ad_spend.files import COLUMNS, KEY_COLUMNS

# Any constant will do; it only has to differ from the other advisory locks of the warehouse.
_DDL_LOCK: Final = 7_204

# A date column is named after its thing; in the files it is only "date".
COLUMN_NAMES: Final = tuple("spend_date" if column == "date" else column for column in COLUMNS)
KEY_COLUMN_NAMES: Final = COLUMN_NAMES[: len(KEY_COLUMNS)]
_COLUMN_TYPES: Final = """
    spend_date date not null,
    channel text,
    utm_source text,
    utm_medium text,
    utm_campaign text,
    cost_cents bigint not null check (cost_cents >= 0),
    impressions bigint,
    clicks bigint,
    load_id bigint not null,
    line_number bigint not null
"""
_KEY: Final = ", ".join(KEY_COLUMN_NAMES)

_DDL: Final = f"""
create table if not exists ops.ad_spend_loads (
    load_id bigint generated always as identity primary key,
    change_id bigint not null,
    file text not null,
    checksum text not null,
    rows_read bigint not null,
    accepted bigint not null,
    rejected bigint not null,
    duplicates bigint not null,
    loaded_at timestamptz not null default clock_timestamp(),
    replaced_by bigint
);
comment on table ops.ad_spend_loads is
    'The ledger of ad spend: one row per version of a file. rows_read = accepted + rejected + duplicates.';
comment on column ops.ad_spend_loads.replaced_by is
    'The load of the file''s next version; the counts of a replaced one stay as they last were, its rows are gone.';
create unique index if not exists ad_spend_loads_current_file on ops.ad_spend_loads (file) where replaced_by is null;

create table if not exists raw.ad_spend ({_COLUMN_TYPES}, unique nulls not distinct ({_KEY}));
comment on table raw.ad_spend is
    'What was spent on a day on a channel or campaign, in cents: the row that stands among those of its key.';

create table if not exists raw.duplicate_ad_spend ({_COLUMN_TYPES}, primary key (load_id, line_number));
comment on table raw.duplicate_ad_spend is
    'Rows that lost against another row of their key; one is promoted when the winner goes.';
create index if not exists duplicate_ad_spend_date on raw.duplicate_ad_spend (spend_date);

create table if not exists raw.rejected_ad_spend (
    line text not null,
    reasons text[] not null,
    load_id bigint not null,
    line_number bigint not null,
    primary key (load_id, line_number)
);
comment on table raw.rejected_ad_spend is 'One row per row of a file that cannot be used, with every reason.';
"""


def create(connection: psycopg.Connection) -> None:
    """Create the tables where they are missing; schemas raw and ops have to be there."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_DDL_LOCK])
        cursor.execute(_DDL)
