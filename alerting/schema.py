"""Tables of schema ops for alerts: faults, the alerts that tell people of them, messages, and failed runs."""

from typing import Final

import psycopg

from warehouse.locks import AdvisoryLock
from warehouse.missing_ddl import create_indexes, set_comments

_DDL: Final = """
create table if not exists ops.failed_runs (
    job text not null,
    work text not null default '',
    event_date date not null,
    run_id text not null,
    failed_at timestamptz not null,
    reason text not null,
    primary key (job, work, event_date)
);
do $$ begin
    -- The table began without this column.
    if not exists (select from pg_attribute where attrelid = 'ops.failed_runs'::regclass and attname = 'work') then
        alter table ops.failed_runs add column work text not null default '', drop constraint failed_runs_pkey,
            add primary key (job, work, event_date);
    end if;
end $$;

create table if not exists ops.alerts (
    alert_id bigint generated always as identity primary key,
    kind text not null,
    opened_at timestamptz not null,
    closed_at timestamptz
);

create table if not exists ops.alert_faults (
    alert_id bigint not null references ops.alerts on delete cascade,
    kind text not null,
    subject text not null,
    cause text not null,
    event_date date,
    since timestamptz not null,
    detail text not null,
    run_id text,
    closed_at timestamptz,
    primary key (alert_id, subject)
);

create table if not exists ops.alert_messages (
    alert_id bigint not null references ops.alerts on delete cascade,
    channel text not null,
    state text not null check (state in ('open', 'over')),
    sent_at timestamptz,
    attempts integer not null default 0,
    next_try_at timestamptz not null,
    last_error text,
    primary key (alert_id, channel, state)
);
"""

_INDEXES: Final = {
    "ops.alert_faults_open": "unique index on ops.alert_faults (kind, subject) where closed_at is null",
}

_COMMENTS: Final = {
    "ops.failed_runs": "Runs that failed after their retries, until a later run has done their work. Grain: one row per"
    " job, work and day of the run.",
    "ops.failed_runs.work": "Digest of the settings of a run without days. Another run of the job does the work only"
    " with the same settings. Empty for runs of days.",
    "ops.failed_runs.event_date": "A day of the run; -infinity for a job without days.",
    "ops.failed_runs.reason": "The step and the kind of error; a message only where it names no person.",
    "ops.alerts": "Alerts: faults of one kind that were found together, or followed day by day. One message tells of"
    " the alert, and one that it is over.",
    "ops.alert_faults": "The faults of an alert. Grain: one row per alert and subject.",
    "ops.alert_faults.subject": "The day, disk or other thing that has the fault.",
    "ops.alert_faults.cause": "The check or job; a fault of the day after, with the same cause, joins the alert.",
    "ops.alert_messages": "Messages by channel. Grain: one row per alert, channel and state.",
    "ops.alert_messages.sent_at": "When the channel accepted the message; null while it has not.",
    "ops.alert_messages.last_error": "Why the last attempt failed, without address and password.",
}


def create(connection: psycopg.Connection) -> None:
    """Create what is missing, in one transaction. Schema ops exists."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.ALERTS_DDL])
        cursor.execute(_DDL)
        create_indexes(cursor, _INDEXES)
        set_comments(cursor, _COMMENTS)
