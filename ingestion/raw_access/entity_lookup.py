"""Look-up of an entity's stored events, newest first: the SQL function `ops.entity_events` and its index.

The index is built when a day is published, which costs 1.8 µs an event. Maintained during the load it would cost 2 to
4 µs, and a btree for each kind of entity 4 to 6 µs, beside some 11 µs for the load itself. The index takes 6 % of the
space of the events (2026-11, 300,000 events of 434 bytes, CPU of the server).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import psycopg

from ingestion import day_partitions
from ingestion.contract import ENTITY_TYPES
from ingestion.redaction.personal_ids import hashed_id

MAX_EVENTS: Final = 10_000

# An event belongs to the asset, project and license that it names, to its actor, and to its entity. Keys of the index
# are hashes of them, which makes it half as large as with texts.
_NAMED: Final = {"asset": "ip_asset_id", "project": "project_id", "license": "license_id", "user": "actor_id"}
_ENTITY: Final = "entity_type || ':' || entity_id"
_KEYS: Final = "array_remove(array[{}], null)".format(
    ", ".join(
        [
            *(f"hashtextextended('{kind}:' || {column}, 0)" for kind, column in _NAMED.items()),
            f"case when entity_type not in ('asset', 'project', 'license') then hashtextextended({_ENTITY}, 0) end",
        ]
    )
)
# Two entities may have one hash, so the columns are compared too.
_IS_OF: Final = " or ".join(
    [
        "events.entity_type || ':' || events.entity_id = entity_events.entity_type || ':' || entity_events.entity_id",
        *(
            f"entity_events.entity_type = '{kind}' and events.{column} = entity_events.entity_id"
            for kind, column in _NAMED.items()
        ),
    ]
)
_TYPES: Final = ", ".join(f"'{kind}'" for kind in ENTITY_TYPES)
# Days are searched newest first: one day, then two, then eight. An entity with many events is found in few days; one
# with few events costs an index look-up for each day. A session plans the query once: planning 365 partitions takes
# 100 ms, and looking an entity up in all of them 20 (2026-11).
_FUNCTION: Final = f"""
create or replace function ops.entity_events(
    entity_type text, entity_id text, event_type text default null, max_events integer default 100
) returns setof raw.events language plpgsql stable set plan_cache_mode = force_generic_plan as $function$
#variable_conflict use_column
declare
    wanted_days date[];
    at_once integer := 1;
    last_day date;
    first_day date;
    wanted_keys bigint[];
    found_events integer;
begin
    if not coalesce(entity_events.entity_type = any(array[{_TYPES}]), false) or entity_events.entity_id is null then
        raise invalid_parameter_value using
            message = format('an entity is of a type (%s) and has an id', '{", ".join(ENTITY_TYPES)}');
    end if;
    if max_events is null or max_events not between 1 and {MAX_EVENTS} then
        raise invalid_parameter_value using message = 'max_events is between 1 and {MAX_EVENTS}';
    end if;
    wanted_keys := array[hashtextextended(entity_events.entity_type || ':' || entity_events.entity_id, 0)];
    select array_agg(to_date(right(relname, 8), 'YYYYMMDD') order by relname desc) into wanted_days
    from pg_inherits inner join pg_class on pg_class.oid = inhrelid
    where inhparent = 'raw.events'::regclass;
    while max_events > 0 and cardinality(wanted_days) > 0 loop
        last_day := wanted_days[1];
        first_day := wanted_days[least(at_once, cardinality(wanted_days))];
        return query
        select events.* from raw.events as events
        where events.event_date between first_day and last_day and {_KEYS} @> wanted_keys and ({_IS_OF})
            and (entity_events.event_type is null or events.event_type = entity_events.event_type)
        order by events.occurred_at desc, events.event_key collate "C"
        limit max_events;
        get diagnostics found_events = row_count;
        max_events := max_events - found_events;
        wanted_days := wanted_days[at_once + 1:];
        at_once := case at_once when 1 then 2 else 4 * at_once end;
    end loop;
end
$function$;
comment on function ops.entity_events is
    'Events of an entity, newest first, at most max_events: those that name it, and those of a user.';
"""


def create(connection: psycopg.Connection) -> None:
    """Create or replace the function. Table raw.events must exist."""
    with connection.transaction():
        connection.execute(_FUNCTION.encode())


def entity_condition(entity_type: str) -> str:
    """Return the condition that a row of raw.events, or of one of its partitions, is an event of an entity.

    Its parameters are `entity_type` and `entity_id`.
    """
    key = "%(entity_type)s || ':' || %(entity_id)s"
    also = f" or {_NAMED[entity_type]} = %(entity_id)s" if entity_type in _NAMED else ""
    return f"({_KEYS} @> array[hashtextextended({key}, 0)] and ({_ENTITY} = {key}{also}))"


def index_published_days(connection: psycopg.Connection) -> list[date]:
    """Create the index of every published day without one, each in its own transaction. Returns these days."""
    days = [
        day
        for (day,) in connection.execute(
            """
            select event_date from ops.published_days
            where to_regclass(format('raw.events_%s', to_char(event_date, 'YYYYMMDD'))) is not null
                and to_regclass(format('raw.events_%s_entities', to_char(event_date, 'YYYYMMDD'))) is null
            order by event_date
            """
        ).fetchall()
    ]
    for day in days:
        partition, _ = day_partitions.names(day)
        name = f"{partition.removeprefix('raw.')}_entities"
        connection.execute(f"create index if not exists {name} on {partition} using gin (({_KEYS}))")
    return days


def entity_events(
    connection: psycopg.Connection,
    entity_type: str,
    entity_id: str,
    *,
    event_type: str | None = None,
    max_events: int = 100,
    hash_key: str = "",
) -> list[Mapping[str, Any]]:
    """Return an entity's events as mappings by column, newest first.

    With `hash_key`, the setting WAREHOUSE_HASH_KEY, an id that is an e-mail address or phone number is searched by its
    hash. Raises ValueError for an unknown entity type or a number of events outside the limits.
    """
    from psycopg.rows import dict_row

    entity_id = (hash_key and hashed_id(entity_id, hash_key.encode(), is_person=False)) or entity_id
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            return list(
                cursor.execute(
                    "select * from ops.entity_events(%s, %s, %s, %s)", [entity_type, entity_id, event_type, max_events]
                ).fetchall()
            )
    except psycopg.errors.InvalidParameterValue as error:
        raise ValueError(error.diag.message_primary) from None
