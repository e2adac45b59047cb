"""Tables of schema raw for events, and the load log ops.loads. DDL only.

The partitions of raw are in day_partitions.py, the shared tables of ops in warehouse/schema.py. `create` may be run at
any time and by any process. It changes nothing that exists, and waits for no running load.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ingestion import attribution_table, landing_measures, schema_changes, silent_days
from ingestion.attribution_table import ATTRIBUTION_COLUMN_NAMES as ATTRIBUTION_COLUMN_NAMES
from ingestion.attribution_table import ATTRIBUTION_COLUMNS as ATTRIBUTION_COLUMNS
from warehouse.locks import AdvisoryLock

if TYPE_CHECKING:
    # Worker processes read the names of the columns, and have no database.
    import psycopg

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


# The columns that ops.loads got later.
_LATER_LOAD_COLUMNS: Final = {
    "file_version": "text",
    "rules_digest": "text",
    "erased": "bigint not null default 0",
    "dropped_fields": "jsonb not null default '{}'",
    "placeholder_ids": "jsonb not null default '{}'",
    "hashed_ids": "jsonb not null default '{}'",
    "dropped_accepted": "bigint not null default 0",
    "dropped_rejected": "bigint not null default 0",
    "dropped_duplicates": "bigint not null default 0",
}

# Short enough for an index, by which lines are counted without being read.
_LATER_REJECTED_COLUMNS: Final = {"reason": "text generated always as (left(reasons[1], 200)) stored"}


def _columns(columns: Iterable[tuple[str, str]]) -> str:
    return ",\n    ".join(f"{name} {definition}" for name, definition in columns)


_DDL: Final = f"""
create schema if not exists raw;
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
    {_columns(_LATER_LOAD_COLUMNS.items())}
);

create table if not exists raw.events (
    {_columns(EVENT_COLUMNS)},
    {_PLACE_COLUMNS},
    unique (event_key, event_date)
) partition by range (event_date);

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

create table if not exists raw.rejected_events (
    line text not null,
    line_bytes bigint not null,
    reasons text[] not null,
    event_date date,
    event_key text,
    candidate jsonb,
    {_PLACE_COLUMNS},
    {_columns(_LATER_REJECTED_COLUMNS.items())},
    primary key (load_id, line_number, line_position)
);

{attribution_table.MIGRATION}
"""

_INDEXES: Final = {
    "ops.loads_current_file": "unique index on ops.loads (file) where replaced_by is null",
    "ops.loads_landing_date": "index on ops.loads (landing_date)",
    "ops.loads_change_id": "index on ops.loads (change_id)",
    "raw.duplicate_events_key": "index on raw.duplicate_events (event_date, event_key)",
    "raw.rejected_events_reason": "index on raw.rejected_events (load_id, reason)",
    "raw.rejected_events_limited": "index on raw.rejected_events (event_date, event_key) where candidate is not null",
}

_COMMENTS: Final = {
    "ops.loads": "The load log: one row per version of a landing file. lines_read = accepted + rejected + duplicates"
    " + not_tracked + erased.",
    "ops.loads.late": "Accepted events whose day ended more than a day before the landing day began: the nightly run"
    " had closed it.",
    "ops.loads.replaced_by": "The load of the file's next version; null while this version is the loaded one.",
    "ops.loads.file_version": "The version by the storage, without reading the content: ETag of an object; times, size"
    " and inode of a file.",
    "ops.loads.rules_digest": "Digest of the code, lists and settings by which the lines were validated; null for loads"
    " of versions without it.",
    "ops.loads.erased": "Lines of subjects that were erased; the landing file has an empty line in their place.",
    "ops.loads.dropped_fields": "In valid events: fields that were left out because they broke their rule, as"
    " {field: {reason: events}}.",
    "ops.loads.placeholder_ids": "In valid events: ids that were placeholders such as undefined, and count as absent,"
    " as {field: events}.",
    "ops.loads.hashed_ids": "In valid events: ids that were e-mail addresses or phone numbers and are stored as keyed"
    " hashes, as {field: events}.",
    "ops.loads.dropped_accepted": "Of the accepted events: those dropped from raw with their sealed days.",
    "ops.loads.dropped_rejected": "Of the rejected lines: those dropped from raw with their sealed days.",
    "ops.loads.dropped_duplicates": "Of the duplicates: those dropped from raw with their sealed days.",
    "raw.events": "One row per accepted event: the first by rank among the copies of an (event day, key).",
    "raw.attribution": "At most one row per event: the utm fields, referrer, landing page and click ids it carried.",
    "raw.duplicate_events": "One row per copy that ranks below another copy of its (event day, key). It moves to"
    " raw.events when the other one is removed.",
    "raw.rejected_events": "One row per line that cannot be used, personal data redacted, with every reason.",
    "raw.rejected_events.reason": "The first reason, shortened: the one by which lines are counted.",
    "raw.rejected_events.candidate": "Of a rate-limited event: the event as it would have been stored, else null.",
}


def create(connection: "psycopg.Connection") -> None:
    """Create schemas raw and ops where they are missing, in one transaction."""
    # Imported late: worker processes take the column names from here, and have no database.
    from warehouse import schema as shared
    from warehouse.missing_ddl import add_columns, create_indexes, set_comments

    with connection.transaction(), connection.cursor() as cursor:
        # "if not exists" does not protect two sessions that create at the same moment from each other.
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.RAW_DDL])
        shared.create(cursor)
        cursor.execute(_DDL)
        add_columns(cursor, "raw.attribution", dict(ATTRIBUTION_COLUMNS))
        add_columns(cursor, "ops.loads", _LATER_LOAD_COLUMNS)
        add_columns(cursor, "raw.rejected_events", _LATER_REJECTED_COLUMNS)
        cursor.execute(schema_changes.DDL)
        cursor.execute(silent_days.DDL)
        cursor.execute(landing_measures.DDL)
        create_indexes(cursor, _INDEXES)
        set_comments(cursor, _COMMENTS | landing_measures.COMMENTS)
