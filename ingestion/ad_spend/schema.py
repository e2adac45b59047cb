"""Tables of ad spend in schemas raw and ops. loading.py fills them."""

from typing import Final

import psycopg

from ingestion.validation_lists import EventRules, default_rules
from warehouse.locks import AdvisoryLock
from warehouse.missing_ddl import add_columns, create_indexes, set_comments

# Normalised names, which models join with visits, by the columns of the names as sent (redacted).
FORM_COLUMNS: Final = {
    "utm_source_normalized": "utm_source",
    "utm_medium_normalized": "utm_medium",
    "utm_campaign_normalized": "utm_campaign",
}
KEY_COLUMN_NAMES: Final = ("spend_date", "channel", *FORM_COLUMNS)
COLUMN_NAMES: Final = (*KEY_COLUMN_NAMES, *FORM_COLUMNS.values(), "cost_cents", "impressions", "clicks")
_COLUMN_TYPES: Final = """
    spend_date date not null,
    channel text,
    utm_source text,
    utm_medium text,
    utm_campaign text,
    utm_source_normalized text,
    utm_medium_normalized text,
    utm_campaign_normalized text,
    cost_cents bigint not null check (cost_cents >= 0),
    impressions bigint,
    clicks bigint,
    load_id bigint not null,
    line_number bigint not null,
    primary key (load_id, line_number)
"""

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
    replaced_by bigint,
    rules_digest text
);
comment on table ops.ad_spend_loads is
    'Load log of ad spend: one row per version of a file. rows_read = accepted + rejected + duplicates.';
comment on column ops.ad_spend_loads.replaced_by is
    'The load of the file''s next version. The counts of a replaced load stay, its rows are deleted.';

create table if not exists raw.ad_spend ({_COLUMN_TYPES});
comment on table raw.ad_spend is
    'Spend on a day on a channel or campaign, in cents. Rows of one day and name are of one file and are added up.';

create table if not exists raw.duplicate_ad_spend ({_COLUMN_TYPES});
comment on table raw.duplicate_ad_spend is
    'Rows whose day and names also occur in a file with a greater name. Without that file they are stored instead.';

create table if not exists raw.rejected_ad_spend (
    line text not null,
    reasons text[] not null,
    load_id bigint not null,
    line_number bigint not null,
    primary key (load_id, line_number)
);
comment on table raw.rejected_ad_spend is 'One row per row of a file that cannot be used, with every reason.';
"""


_INDEXES: Final = {
    "ops.ad_spend_loads_current_file": "unique index on ops.ad_spend_loads (file) where replaced_by is null",
    "raw.ad_spend_date": "index on raw.ad_spend (spend_date)",
    "raw.duplicate_ad_spend_date": "index on raw.duplicate_ad_spend (spend_date)",
}


_COMMENTS: Final = {
    "ops.ad_spend_loads.rules_digest": "The digest of the code, lists and settings by which the rows were read; null"
    " for loads of versions without it.",
}


def create(connection: psycopg.Connection, rules: EventRules | None = None) -> None:
    """Create missing tables and migrate older ones. Schemas raw and ops must exist.

    Names in older tables are redacted by `rules`, by default the seeds'.
    """
    from ingestion.ad_spend.migration import migrate

    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.AD_SPEND_DDL])
        cursor.execute(_DDL)
        add_columns(cursor, "ops.ad_spend_loads", {"rules_digest": "text"})
        create_indexes(cursor, _INDEXES)
        set_comments(cursor, _COMMENTS)
        migrate(cursor, rules or default_rules())
