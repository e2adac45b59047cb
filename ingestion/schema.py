"""The tables of schemas raw and ops. DDL only: what fills them is in loading.py and application.py; the partitions of
raw are in day_partitions.py, the queues of ops in change_queues.py.

`create` may be run at any time and by any process; it changes nothing that exists.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ingestion import attribution_table, schema_changes, silent_days
from ingestion.attribution_table import ATTRIBUTION_COLUMN_NAMES as ATTRIBUTION_COLUMN_NAMES
from ingestion.attribution_table import ATTRIBUTION_COLUMNS as ATTRIBUTION_COLUMNS
from warehouse import change_queues
from warehouse.locks import AdvisoryLock

if TYPE_CHECKING:
    # The names of the columns are wanted where no database is.
    import psycopg

# Columns that tell where a row came from and not what it says. Two warehouses that loaded the same data by other
# routes differ in these and in nothing else; the equality tests and the verify job leave them out.
PROVENANCE_COLUMNS: Final = frozenset(
    {"load_id", "line_number", "line_position", "change_id", "loaded_at", "run_id", "build_id", "published_at"}
)

# One row per (event day, key): what every model is built from.
EVENT_COLUMNS: Final = (
    ("event_date", "date not null"),
    ("event_key", "text not null"),
    ("event_id", "uuid not null"),
    ("event_type", "text not null"),
    ("occurred_at", "timestamptz not null"),
    ("received_at", "timestamptz not null"),
    ("source", "text not null"),
    ("actor_id", "text"),
    ("actor_type", "text"),
    ("anonymous_id", "text"),
    ("session_id", "uuid"),
    ("entity_type", "text"),
    ("entity_id", "text"),
    ("ip_asset_id", "text"),
    ("project_id", "text"),
    ("license_id", "text"),
    ("revenue_cents", "bigint"),
    ("fee_cents", "bigint"),
    ("engagement_time", "numeric(20, 3)"),
    ("props", "jsonb not null"),
    ("device_type", "text"),
    ("browser", "text"),
    ("os", "text"),
    ("is_bot", "boolean not null"),
    ("canonical_hash", "bytea not null"),
)

EVENT_COLUMN_NAMES: Final = tuple(name for name, _ in EVENT_COLUMNS)
# The order in which a validated event travels: its own columns, then its attribution.
CANDIDATE_COLUMN_NAMES: Final = EVENT_COLUMN_NAMES + ATTRIBUTION_COLUMN_NAMES


# Where a row comes from: the line of a load's file, and which of the objects in that line.
_PLACE_COLUMNS: Final = """load_id bigint not null,
    line_number bigint not null,
    line_position integer not null default 1"""


def _columns(columns: Iterable[tuple[str, str]]) -> str:
    return ",\n    ".join(f"{name} {definition}" for name, definition in columns)


_DDL: Final = f"""
create schema if not exists raw;
create schema if not exists ops;

create sequence if not exists ops.change_id_seq;

create or replace function ops.last_change_id() returns bigint language sql stable
return (select case when is_called then last_value else 0 end from ops.change_id_seq);
comment on function ops.last_change_id() is
    'The last change of raw; of a writer''s own time, since changes are made one at a time.';

create table if not exists ops.loads (
    load_id bigint generated always as identity primary key,
    change_id bigint not null,
    landing_date date not null,
    file text not null,
    checksum text not null,
    file_bytes bigint not null,
    lines_read bigint not null,
    accepted bigint not null,
    rejected bigint not null,
    duplicates bigint not null,
    not_tracked bigint not null,
    late bigint not null,
    event_dates date[] not null,
    loaded_at timestamptz not null default clock_timestamp(),
    replaced_by bigint,
    file_version text,
    rules_digest text,
    erased bigint not null default 0,
    dropped_fields jsonb not null default '{{}}',
    placeholder_ids jsonb not null default '{{}}',
    hashed_ids jsonb not null default '{{}}'
);
do $$
declare
    added text;
begin
    foreach added in array array[
        'file_version text', 'rules_digest text', 'erased bigint not null default 0',
        'dropped_fields jsonb not null default ''{{}}''', 'placeholder_ids jsonb not null default ''{{}}''',
        'hashed_ids jsonb not null default ''{{}}'''
    ] loop
        -- Not "add column if not exists", which waits for every load that is running.
        if not exists (
            select from pg_attribute where attrelid = 'ops.loads'::regclass and attname = split_part(added, ' ', 1)
        ) then
            execute 'alter table ops.loads add column ' || added;
        end if;
    end loop;
end $$;
comment on table ops.loads is
    'The ledger: one row per version of a landing file. lines_read = accepted + rejected + duplicates + not_tracked'
    ' + erased.';
comment on column ops.loads.late is
    'Accepted events whose day was over more than a day before the landing day began: the nightly run had closed it.';
comment on column ops.loads.replaced_by is 'The load of the file''s next version; null while this version is the loaded one.';
comment on column ops.loads.file_version is
    'What the storage says of the content without reading it: ETag of an object; times, size and inode of a file.';
comment on column ops.loads.rules_digest is
    'The digest of the code, lists and settings by which the lines were read; null for loads of versions without it.';
comment on column ops.loads.erased is 'Lines of subjects that were erased; the landing file has an empty line in their place.';
comment on column ops.loads.dropped_fields is
    'Of usable events: fields that were left out because they broke their rule, as {{field: {{reason: events}}}}.';
comment on column ops.loads.placeholder_ids is
    'Of usable events: ids that were placeholders such as undefined, and count as absent, as {{field: events}}.';
comment on column ops.loads.hashed_ids is
    'Of usable events: ids that were e-mail addresses or phone numbers and are stored as keyed hashes, as {{field: events}}.';
create unique index if not exists loads_current_file on ops.loads (file) where replaced_by is null;
create index if not exists loads_landing_date on ops.loads (landing_date);
create index if not exists loads_change_id on ops.loads (change_id);

create table if not exists raw.events (
    {_columns(EVENT_COLUMNS)},
    {_PLACE_COLUMNS},
    unique (event_key, event_date)
) partition by range (event_date);
comment on table raw.events is 'One row per accepted event: the winner among the copies of an (event day, key).';

{attribution_table.DDL}
create table if not exists raw.duplicate_events (
    event_date date not null,
    event_key text not null,
    received_at timestamptz not null,
    occurred_at timestamptz not null,
    canonical_hash bytea not null,
    candidate jsonb not null,
    {_PLACE_COLUMNS},
    primary key (load_id, line_number, line_position)
);
comment on table raw.duplicate_events is
    'One row per copy that lost against another copy of its (event day, key); it is promoted when the winner goes.';
create index if not exists duplicate_events_key on raw.duplicate_events (event_date, event_key);

create table if not exists raw.rejected_events (
    line text not null,
    line_bytes bigint not null,
    reasons text[] not null,
    event_date date,
    event_key text,
    candidate jsonb,
    {_PLACE_COLUMNS},
    primary key (load_id, line_number, line_position)
);
comment on table raw.rejected_events is 'One row per line that cannot be used, personal data redacted, with every reason.';
comment on column raw.rejected_events.candidate is 'Of a rate-limited event: the event as it would have been stored, else null.';
create index if not exists rejected_events_limited on raw.rejected_events (event_date, event_key) where candidate is not null;

{attribution_table.MIGRATION}
do $$ begin
    -- Marks were called stale_days; that name now is the view of every reason (publishing/stale_reasons.py).
    if exists (select from pg_class where oid = to_regclass('ops.stale_days') and relkind = 'r') then
        alter table ops.stale_days rename to stale_day_marks;
        alter index ops.stale_days_pkey rename to stale_day_marks_pkey;
    end if;
end $$;
create table if not exists ops.stale_day_marks (
    event_date date not null,
    layer text not null,
    reason text not null,
    change_id bigint not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (event_date, layer, reason)
);
comment on table ops.stale_day_marks is
    'Event days that loads and builds have marked as stale; publication removes the marks. ops.stale_days has all reasons.';

create table if not exists ops.built_days (
    event_date date primary key,
    build_id text not null,
    change_id bigint not null,
    model_version text not null,
    is_complete boolean not null,
    built_at timestamptz not null default clock_timestamp()
);
comment on table ops.built_days is 'Which build last wrote an event day into schema build, and up to which change of raw.';

create table if not exists ops.writer (
    only_row boolean primary key default true check (only_row),
    build_id text not null
);
insert into ops.writer values (true, '') on conflict do nothing;
comment on table ops.writer is 'The build that may write the warehouse; a build that lost it is refused.';

drop function if exists ops.hold_writer();
drop function if exists ops.enter_build(text, date, date);

create or replace function ops.assert_writer() returns void
language plpgsql as $$
begin
    -- A session that says which run it works for may write raw while that run holds the warehouse, and keeps a later one
    -- from beginning until it has committed: a build must not count as seen what it could not see.
    if coalesce(current_setting('warehouse.build_id', true), '') <> '' then
        perform from ops.writer where build_id = current_setting('warehouse.build_id') for share;
        if not found then
            raise exception 'run % has lost the warehouse to a later run and may not write any more',
                current_setting('warehouse.build_id');
        end if;
    end if;
end
$$;

create or replace function ops.begin_model(build text, window_start date, window_end date) returns void
language plpgsql as $$
begin
    if build = '' then
        -- Nobody holds the warehouse for a model that is built by hand: it shares it with the models built beside it,
        -- and keeps runs out while it writes.
        if not pg_try_advisory_xact_lock_shared({AdvisoryLock.WRITER}) then
            raise exception 'another run is writing the warehouse; wait until it has ended and try again';
        end if;
    else
        perform from ops.writer where build_id = build for share;
        if not found then
            raise exception 'build % has lost the warehouse to a later run and may not write any more', build;
        end if;
    end if;
    update ops.built_days set is_complete = false
    where event_date >= window_start and event_date < window_end and (build = '' or build_id <> build);
    delete from ops.last_build where build_id <> build;
end
$$;

create table if not exists ops.check_results (
    build_id text not null,
    check_name text not null,
    window_start date not null,
    window_end date not null,
    severity text not null,
    is_passed boolean not null,
    observed jsonb not null,
    bad_days date[] not null,
    change_id bigint not null default ops.last_change_id(),
    checked_at timestamptz not null default clock_timestamp(),
    primary key (build_id, check_name, window_start, window_end)
);
create index if not exists check_results_verdict on ops.check_results (check_name, checked_at);
comment on table ops.check_results is 'One row per check, build and window: what publication reads before it moves anything.';

create table if not exists ops.published_days (
    event_date date primary key,
    build_id text not null,
    run_id text not null,
    change_id bigint not null,
    model_version text not null,
    published_at timestamptz not null default clock_timestamp()
);
comment on table ops.published_days is 'Which run published an event day, from which build and up to which change of raw.';
"""


def create(connection: "psycopg.Connection") -> None:
    """Create schemas raw and ops where they are missing, in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        # "if not exists" does not protect two sessions that create at the same moment from each other.
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.RAW_DDL])
        cursor.execute(_DDL)
        cursor.execute(schema_changes.DDL)
        cursor.execute(change_queues.DDL)
        cursor.execute(silent_days.DDL)
