"""Second implementation of the contract's rules for copies and the rate limit: the content of raw from the lines alone.

It is written as simply as possible, and shares no code with the loading of files.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

# An event, several without a line end between them, or what is no event.
Line = Mapping[str, Any] | tuple[Mapping[str, Any], ...] | str
ONE_DAY = timedelta(days=1)
# Of the contract's lists, what these tests send.
PLACEHOLDERS = {"none", "undefined", "null", "00000000-0000-0000-0000-000000000000"}
ALLOWED = {"", "0", "false", "no", "off", "unspecified"}


@dataclass(frozen=True, slots=True)
class Copy:
    """One line that is a valid event."""

    event_date: date
    key: str
    received_at: datetime
    occurred_at: datetime
    canonical_hash: bytes
    who: str | None
    utm_source: str | None
    link: str | None
    file: str
    line_number: int
    line_position: int

    @property
    def says(self) -> tuple[object, ...]:
        """Return its content without its provenance."""
        return self.event_date, self.key, self.received_at, self.canonical_hash

    @property
    def place(self) -> tuple[str, int, int]:
        return self.file, self.line_number, self.line_position


@dataclass(frozen=True, slots=True)
class Counts:
    """The ledger of one file."""

    lines_read: int
    accepted: int
    rejected: int
    duplicates: int
    not_tracked: int


@dataclass(slots=True)
class Raw:
    """The outcome of every line of a set of files."""

    accepted: list[Copy] = field(default_factory=list)
    duplicates: list[Copy] = field(default_factory=list)
    limited: list[Copy] = field(default_factory=list)
    ledger: dict[str, Counts] = field(default_factory=dict)


def settle(files: Mapping[tuple[date, str], Sequence[Line]], *, per_minute: int) -> Raw:
    """The outcome of files, each named by its landing day and its name below the landing root."""
    raw = Raw()
    copies: dict[tuple[date, str], list[Copy]] = defaultdict(list)
    rejected: dict[str, int] = defaultdict(int)
    not_tracked: dict[str, int] = defaultdict(int)
    for (landing_date, name), lines in files.items():
        for number, position, line in _placed(lines):
            if isinstance(line, str):
                rejected[name] += 1
            elif _declines(line):
                not_tracked[name] += 1
            else:
                copy = _copy(landing_date, name, number, position, line)
                copies[copy.event_date, copy.key].append(copy)

    minutes: dict[tuple[str, datetime], list[Copy]] = defaultdict(list)
    for rivals in copies.values():
        best, *others = sorted(rivals, key=lambda c: (c.received_at, c.occurred_at, c.canonical_hash, c.place))
        raw.duplicates += others
        if best.who is None:
            raw.accepted.append(best)
        else:
            minutes[best.who, best.occurred_at.replace(second=0, microsecond=0)].append(best)
    for winners in minutes.values():
        winners.sort(key=lambda c: (c.received_at, c.occurred_at, c.key.encode()))
        raw.accepted += winners[:per_minute]
        raw.limited += winners[per_minute:]

    for (_, name), lines in files.items():
        accepted, duplicates, limited = (
            sum(copy.file == name for copy in those) for those in (raw.accepted, raw.duplicates, raw.limited)
        )
        raw.ledger[name] = Counts(
            len(list(_placed(lines))), accepted, rejected[name] + limited, duplicates, not_tracked[name]
        )
    return raw


def changed_days(before: Raw, after: Raw) -> set[date]:
    """The event days whose accepted events say something else than before."""
    return {
        copy.event_date
        for copy in (*before.accepted, *after.accepted)
        if copy.says in {c.says for c in before.accepted} ^ {c.says for c in after.accepted}
    }


def _declines(event: Mapping[str, Any]) -> bool:
    said = [part.get("doNotTrack") for part in (event, event.get("context"), event.get("props")) if _is_object(part)]
    is_clear_no = [value in (None, False, 0) or str(value).lower() in ALLOWED for value in said]
    return not all(is_clear_no) and event.get("source", "web") not in ("api", "system", "webhook")


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)


def _id(event: Mapping[str, Any], name: str) -> Any:
    """An id; None for one that is absent, or that only stands for one."""
    value = event.get(name)
    return None if str(value).lower() in PLACEHOLDERS else value


def _placed(lines: Sequence[Line]) -> Iterator[tuple[int, int, Mapping[str, Any] | str]]:
    for number, line in enumerate(lines, 1):
        for position, item in enumerate(line if isinstance(line, tuple) else (line,), 1):
            yield number, position, item


def _copy(landing_date: date, file: str, line_number: int, line_position: int, event: Mapping[str, Any]) -> Copy:
    occurred_at = datetime.fromisoformat(event["occurredAt"]).astimezone(UTC)
    canonical = {**event, "occurredAt": occurred_at.isoformat()}
    if "receivedAt" in event:
        received_at = datetime.fromisoformat(event["receivedAt"]).astimezone(UTC)
        canonical["receivedAt"] = received_at.isoformat()
    else:
        received_at = datetime.combine(landing_date + ONE_DAY, time.min, UTC)
    digest = hashlib.sha256(json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
    who = next((f"{k}:{_id(event, k)}" for k in ("actorId", "anonymousId", "sessionId") if _id(event, k)), None)
    attribution = event.get("attribution", {})
    return Copy(
        event_date=occurred_at.date(),
        key=_id(event, "idempotencyKey") or _id(event, "eventId") or digest.hexdigest(),
        received_at=received_at,
        occurred_at=occurred_at,
        canonical_hash=digest.digest(),
        who=who if event.get("source", "web") in ("web", "mobile") else None,
        utm_source=attribution.get("utmSource"),
        link=_id(event, "anonymousId") if _id(event, "actorId") else None,
        file=file,
        line_number=line_number,
        line_position=line_position,
    )
