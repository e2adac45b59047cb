"""Lines of each landing day by event source and outcome: table ops.landing_measures.

The ledger, ops.loads, counts lines by file. Sources are counted here, from the rows of raw, after each load.
"""

from datetime import date
from typing import TYPE_CHECKING, Final, get_args

from ingestion.contract import DEFAULT_SOURCE, Source

if TYPE_CHECKING:
    # schema.py imports this module's DDL, also in environments without psycopg.
    import psycopg

SOURCES: Final[tuple[str, ...]] = get_args(get_args(Source)[0])
# The source of lines that name none of these.
UNKNOWN_SOURCE: Final = "unknown"

DDL: Final = """
create table if not exists ops.landing_measures (
    landing_date date not null,
    event_source text not null,
    accepted bigint not null,
    late bigint not null,
    duplicates bigint not null,
    rejected bigint not null,
    loads_digest text not null,
    counted_at timestamptz not null default clock_timestamp(),
    primary key (landing_date, event_source)
);
"""

COMMENTS: Final = {
    "ops.landing_measures": "Lines of each landing day by event source and outcome, of the loaded versions of its"
    " files. Grain: one row per landing_date and event_source.",
    "ops.landing_measures.event_source": "The source that the line names; unknown where it names none of the contract's"
    " or is no JSON.",
    "ops.landing_measures.late": "Of the accepted events: those whose day had ended more than a day before.",
    "ops.landing_measures.loads_digest": "Digest of the landing day's counts in ops.loads when its lines were counted.",
}

# Days that were counted once stay as they are when rows have left with sealed days: a count would miss these.
_CHANGED: Final = """
with
loads as (
    select landing_date,
        md5(string_agg(concat_ws(':', load_id, accepted, rejected, duplicates, late), ',' order by load_id)) as digest,
        sum(dropped_accepted + dropped_rejected + dropped_duplicates) as dropped
    from ops.loads
    where replaced_by is null
    group by landing_date
),
counted as (
    select landing_date, max(loads_digest) as digest from ops.landing_measures group by landing_date
)
select landing_date, loads.digest
from loads
full join counted using (landing_date)
where loads.digest is distinct from counted.digest and (counted.digest is null or coalesce(loads.dropped, 0) = 0)
"""
_EVENT_DATES: Final = """
select coalesce(array_agg(distinct day), '{}')
from ops.loads, unnest(event_dates) as day
where replaced_by is null and landing_date = any(%s)
"""
# Postgres refuses to read JSON with escaped NUL characters and lone surrogates, wherever they stand.
_WITHOUT_ESCAPES: Final = r"regexp_replace(line, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\u0020', 'g')"
_INSERT: Final = f"""
insert into ops.landing_measures (landing_date, event_source, accepted, late, duplicates, rejected, loads_digest)
with
loads as (
    select load_id, landing_date from ops.loads where replaced_by is null and landing_date = any(%(days)s::date[])
),
lines as (
    select load_id, source, count(*) as accepted, 0 as duplicates, 0 as rejected,
        -- As ops.loads counts them.
        count(*) filter (where event_date < landing_date - 1) as late
    from raw.events
    inner join loads using (load_id)
    where event_date = any(%(event_dates)s::date[])
    group by load_id, source
    union all
    select load_id, candidate ->> 'source', 0, count(*), 0, 0
    from raw.duplicate_events
    inner join loads using (load_id)
    group by load_id, candidate ->> 'source'
    union all
    select load_id,
        case when line is json object then coalesce({_WITHOUT_ESCAPES}::json ->> 'source', %(default)s) end as source,
        0, 0, count(*), 0
    from raw.rejected_events
    inner join loads using (load_id)
    group by load_id, 2
)
select landing_date, case when source = any(%(sources)s::text[]) then source else %(unknown)s end,
    sum(accepted), sum(late), sum(duplicates), sum(rejected), digests.digest
from lines
inner join loads using (load_id)
inner join unnest(%(days)s::date[], %(digests)s::text[]) as digests (landing_date, digest) using (landing_date)
group by 1, 2, digests.digest
"""


def refresh(connection: "psycopg.Connection") -> list[date]:
    """Count the lines of landing days whose loads have changed since they were counted. Return these days."""
    with connection.transaction(), connection.cursor() as cursor:
        # Two sessions that count at a time would both insert the day.
        cursor.execute("lock table ops.landing_measures in share row exclusive mode")
        changed: dict[date, str | None] = dict(cursor.execute(_CHANGED).fetchall())
        days = sorted(changed)
        cursor.execute("delete from ops.landing_measures where landing_date = any(%s)", [days])
        loaded = [day for day in days if changed[day] is not None]
        if loaded:
            (event_dates,) = cursor.execute(_EVENT_DATES, [loaded]).fetchone() or ([],)
            cursor.execute(
                _INSERT,
                {
                    "days": loaded,
                    "digests": [changed[day] for day in loaded],
                    "event_dates": event_dates,
                    "sources": list(SOURCES),
                    "default": DEFAULT_SOURCE,
                    "unknown": UNKNOWN_SOURCE,
                },
                prepare=False,
            )
    return days
