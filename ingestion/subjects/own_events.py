"""The condition that an event is a subject's, in SQL: by its actor, else by its device, else by its session.

erased_ids.py and erased_lines.py have the same rule for events that are no rows yet.
"""

from collections.abc import Iterable
from typing import Final


def _is_own(actor: str, device: str, session: str) -> str:
    return f"""({actor} = any(%(persons)s)
        or ({actor} is null and {device} = any(%(devices)s))
        or ({actor} is null and {device} is null and {session} = any(%(sessions)s)))"""


# Of a row of raw.events, and of the JSON of a copy that is not stored there. Both take the parameters of `own_ids`.
EVENT_IS_OWN: Final = _is_own("actor_id", "anonymous_id", "session_id::text")
CANDIDATE_IS_OWN: Final = _is_own(
    "candidate ->> 'actor_id'", "candidate ->> 'anonymous_id'", "candidate ->> 'session_id'"
)


def own_ids(persons: Iterable[str], devices: Iterable[str], sessions: Iterable[str]) -> dict[str, list[str]]:
    """Return the parameters of the conditions."""
    return {"persons": sorted(persons), "devices": sorted(devices), "sessions": sorted(sessions)}
