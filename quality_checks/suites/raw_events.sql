select
    event_date, event_key, event_id, event_type, occurred_at, received_at, source, actor_type,
    entity_type, revenue_cents, fee_cents, engagement_time, is_bot,
    cast(occurred_at at time zone 'UTC' as date) as occurred_date,
    extract(epoch from occurred_at - received_at) as seconds_before_receipt,
    entity_id is null or entity_type is not null as is_entity_typed,
    jsonb_typeof(props) as props_type,
    octet_length(canonical_hash) as canonical_hash_bytes
from raw.events
