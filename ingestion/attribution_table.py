"""Table raw.attribution: its columns, and the migration of a table of an older version."""

from typing import Final

from ingestion.contract import CLICK_IDS

# At most one row per event, only for events with any of these fields. UTM source, medium and campaign are stored as
# sent (redacted), and in normal form for models (utm_normalization.py).
ATTRIBUTION_COLUMNS: Final = (
    ("utm_source", "text"),
    ("utm_medium", "text"),
    ("utm_campaign", "text"),
    ("utm_term", "text"),
    ("utm_content", "text"),
    ("utm_source_normalized", "text"),
    ("utm_medium_normalized", "text"),
    ("utm_campaign_normalized", "text"),
    ("referrer", "text"),
    ("landing_page", "text"),
    *((click_id, "text") for click_id in CLICK_IDS),
)
ATTRIBUTION_COLUMN_NAMES: Final = tuple(name for name, _ in ATTRIBUTION_COLUMNS)

DDL: Final = f"""
create table if not exists raw.attribution (
    event_date date not null,
    event_key text not null,
    event_id uuid not null,
    {", ".join(f"{name} {definition}" for name, definition in ATTRIBUTION_COLUMNS)},
    load_id bigint not null,
    line_number bigint not null,
    line_position integer not null default 1,
    unique (event_key, event_date)
) partition by range (event_date);
"""

# Before the columns are added to a table of an older version. Names of partitions end with their day.
MIGRATION: Final = """
create table if not exists ops.unnormalized_days (event_date date primary key);
comment on table ops.unnormalized_days is
    'Event days loaded before normal forms of UTM fields were stored; attribution_migration.py fills and removes them.';
do $$ begin
    if not exists (
        select from pg_attribute where attrelid = 'raw.attribution'::regclass and attname = 'utm_source_normalized'
    ) then
        insert into ops.unnormalized_days
        select to_date(right(relname, 8), 'YYYYMMDD')
        from pg_inherits inner join pg_class on pg_class.oid = inhrelid
        where inhparent = 'raw.attribution'::regclass
        union
        select event_date from raw.duplicate_events
        union
        select event_date from raw.rejected_events where candidate is not null;
    end if;
end $$;
"""
