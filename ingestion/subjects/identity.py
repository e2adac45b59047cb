"""Identity of a subject: all ids that raw links with the ids of a request, found once when the request begins.

A device with events of one actor is that actor's. A device with events of several actors is shared: it is the
subject's only if all of its actors are. Actors are one person where the product's users have one e-mail hash.
"""

from collections.abc import Iterable
from typing import Any, Final

import psycopg

from ingestion.hashing import hash_email
from ingestion.redaction.personal_ids import hashed_id
from ingestion.subjects.own_events import CANDIDATE_IS_OWN, EVENT_IS_OWN, own_ids
from ingestion.subjects.subject import NamedIds, Subject

# Copies of an event that are not stored in raw.events hold their ids in JSON.
_IDENTIFIED: Final = """
    select actor_id, anonymous_id, session_id::text as session_id from raw.events
    union all
    select candidate ->> 'actor_id', candidate ->> 'anonymous_id', candidate ->> 'session_id'
    from raw.duplicate_events
    union all
    select candidate ->> 'actor_id', candidate ->> 'anonymous_id', candidate ->> 'session_id'
    from raw.rejected_events
    where candidate is not null
"""
_DEVICES_OF: Final = f"""
select distinct anonymous_id from ({_IDENTIFIED}) as identified
where actor_id = any(%s) and anonymous_id is not null
"""
_ACTORS_OF_DEVICES: Final = f"""
select anonymous_id, array_agg(distinct actor_id) from ({_IDENTIFIED}) as identified
where anonymous_id = any(%s) and actor_id is not null
group by anonymous_id
"""
_SESSIONS_OF: Final = f"""
select session_id from ({_IDENTIFIED}) as identified
where session_id is not null
group by session_id
having bool_or(actor_id = any(%(persons)s) or anonymous_id = any(%(devices)s))
    and not bool_or(coalesce(actor_id <> all(%(persons)s), false))
"""
_EVENTS_OF: Final = f"""
    select event_id::text, event_key from raw.events
    where {EVENT_IS_OWN}
    union
    select candidate ->> 'event_id', event_key
    from (
        select event_key, candidate from raw.duplicate_events
        union all
        select event_key, candidate from raw.rejected_events where candidate is not null
    ) as copies
    where {CANDIDATE_IS_OWN}
"""
_USERS_OF_HASHES: Final = "select distinct id from raw.users where email_hash = any(%s)"
_HASHES_OF_USERS: Final = "select distinct email_hash from raw.users where id = any(%s) and email_hash is not null"


def find_subject(cursor: psycopg.Cursor, named: NamedIds, *, hash_key: str) -> Subject:
    """Return all ids that raw links with the named ones."""
    key = hash_key.encode()
    email_hashes = {hashed for email in named.emails if (hashed := hash_email(email, key))}
    # An actor id that is an e-mail address is stored as its hash.
    persons = {hashed_id(text, key) or text for text in named.persons} | email_hashes
    named_devices = {hashed_id(text, key) or text for text in named.devices}
    devices = set(named_devices)
    shared: set[str] = set()
    while True:
        before = len(persons), len(devices)
        email_hashes |= _column(cursor, _HASHES_OF_USERS, persons)
        persons |= _column(cursor, _USERS_OF_HASHES, email_hashes)
        devices |= _column(cursor, _DEVICES_OF, persons)
        actors = {device: set(found) for device, found in _rows(cursor, _ACTORS_OF_DEVICES, devices)}
        for device in named_devices:
            # A device that the request names leads to its actor, unless several people have used it.
            if len(found := actors.get(device, set())) == 1:
                persons |= found
        if (len(persons), len(devices)) == before:
            shared = {device for device, found in actors.items() if not found <= persons}
            break
    own = devices - shared
    parameters = {"persons": sorted(persons), "devices": sorted(own)}
    sessions = {session for (session,) in cursor.execute(_SESSIONS_OF, parameters)}
    creators = _column(cursor, "select distinct id from raw.creators where user_id = any(%s)", persons)
    brands = _column(cursor, "select distinct id from raw.brands where user_id = any(%s)", persons)
    events = events_of(cursor, persons, own, sessions)
    groups = (persons, own, shared, sessions, email_hashes, creators, brands, set(named.sent), set(events))
    return Subject(*(tuple(sorted(ids)) for ids in groups))


def events_of(
    cursor: psycopg.Cursor, persons: Iterable[str], devices: Iterable[str], sessions: Iterable[str]
) -> tuple[str, ...]:
    """Return the ids and keys of the events and copies of a subject."""
    rows = cursor.execute(_EVENTS_OF, own_ids(persons, devices, sessions)).fetchall()
    return tuple(sorted({text for row in rows for text in row}))


def _column(cursor: psycopg.Cursor, query: str, ids: Iterable[str]) -> set[str]:
    return {value for (value,) in _rows(cursor, query, ids)}


def _rows(cursor: psycopg.Cursor, query: str, ids: Iterable[str]) -> list[tuple[Any, ...]]:
    wanted = sorted(ids)
    return cursor.execute(query, [wanted]).fetchall() if wanted else []
