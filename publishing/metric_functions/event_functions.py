"""The functions `entity_events`: stored events of an entity, newest first. For engineers, who may read raw."""

from typing import Final

from publishing.metric_functions.declarations import INVOKER, NOT_FOUND, SHOWN_ID_LENGTH, MetricFunction, body

_PARAMETERS: Final = 'entity_id text, entity_type text, "limit" integer default 100'

# The product's own table of each kind of entity that has one: an entity without events is found there.
_TABLES: Final = {
    "asset": "ip_assets",
    "brand": "brands",
    "creator": "creators",
    "license": "licenses",
    "payout": "payouts",
    "project": "projects",
    "user": "users",
}
_IS_KNOWN: Final = "\n            or ".join(
    f"entity_events_events.entity_type = '{kind}'"
    f" and exists (select from raw.{table} as known where known.id = entity_events_events.entity_id)"
    for kind, table in _TABLES.items()
)

_EVENTS: Final = f"""
#variable_conflict use_column
begin
    return query
    select * from ops.entity_events(
        entity_events_events.entity_type, entity_events_events.entity_id, null, entity_events_events."limit"
    );
    if not found and not (
        {_IS_KNOWN}
    ) then
        raise exception using errcode = '{NOT_FOUND}', message = format(
            'there is no %s "%s"', entity_events_events.entity_type,
            left(entity_events_events.entity_id, {SHOWN_ID_LENGTH})
        );
    end if;
end
"""

# Without what tells where the row came from, and what only deduplication reads.
_ANSWER: Final = """
begin
    return jsonb_build_object(
        'entity_id', entity_events.entity_id, 'entity_type', entity_events.entity_type,
        'events', coalesce((
            select jsonb_agg(
                to_jsonb(part) - array['place', 'canonical_hash', 'load_id', 'line_number', 'line_position']
                order by part.place
            )
            from (
                select events.*, row_number() over () as place
                from marts.entity_events_events(
                    entity_events.entity_id, entity_events.entity_type, entity_events."limit"
                ) as events
            ) as part
        ), '[]')
    );
end
"""

EVENT_FUNCTIONS: Final = (
    MetricFunction(
        "marts.entity_events_events",
        _PARAMETERS,
        body("returns setof raw.events", f"{INVOKER} rows 100", _EVENTS),
        "Stored events of an entity, newest first, at most limit; for engineers. SQLSTATE WH002: no such entity.",
    ),
    MetricFunction(
        "marts.entity_events",
        _PARAMETERS,
        body("returns jsonb", f"{INVOKER} set timezone = 'UTC'", _ANSWER),
        "Stored events of an entity, newest first, at most limit; for engineers. SQLSTATE WH002: no such entity.",
    ),
)
