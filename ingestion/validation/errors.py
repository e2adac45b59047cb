"""Validation errors of a line: every reason, not only the first. Slow, and for invalid lines only.

validator.py only decides whether a line is valid; both take the rules from contract.py. A reason reads
`<field>: <what is wrong>`. It never quotes the line, so that it holds no personal data, and equal mistakes have equal
texts.
"""

import json
import math
import re
from collections.abc import Iterator, Set
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from ingestion.contract import MAX_CLOCK_AHEAD_HOURS, MAX_PROPS_BYTES, MAX_PROPS_DEPTH, SECTIONS, Event, expectation
from ingestion.validation.event_reader import REQUIRED, clean, depth_of, fits, has_large_number, leaves, probe_of
from ingestion.validation.key_normalization import has_duplicate_keys, normalize_keys
from ingestion.validation.timestamps import parse_timestamp, timestamp_reason

# The whole reason, as that of rate limits (deduplication/apply.py) is.
SEALED_DAY: Final = "sealed_day"
NOT_UTF8: Final = "line: not UTF-8"
NUL_BYTES: Final = "line: NUL bytes; a file in UTF-16 has them, write UTF-8"
NOT_JSON: Final = "line: not JSON"
TOO_DEEP: Final = "line: nested too deeply to be read"
AN_ARRAY: Final = "line: an array of events; write one event per line (NDJSON)"
NOT_AN_OBJECT: Final = "line: not a JSON object"
_OUT_OF_RANGE: Final = "line: a number too large to be read"
# Python does not read whole numbers of more than 4,300 digits; msgspec rejects shorter ones already.
_MAX_DIGITS: Final = 4_000
_TIMES: Final = ("occurredAt", "receivedAt")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# Computed once: inspecting a struct takes longer than converting to it.
_STRUCTS: Final[tuple[type[msgspec.Struct], ...]] = (Event, *SECTIONS.values())


_FIELDS: Final = {
    struct: [(field.encode_name, field, probe_of(field.type)) for field in msgspec.structs.fields(struct)]
    for struct in _STRUCTS
}


class Unreadable(ValueError):
    """A line that holds no JSON value. The exception's text is the reason."""


def read_document(line: bytes) -> Any:
    """Return the JSON value of a line, also with lone surrogates or numbers out of range. Raises Unreadable."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(NOT_UTF8) from error
    if "\0" in text:
        raise Unreadable(NUL_BYTES)
    try:
        return _read(text)
    except RecursionError as error:
        raise Unreadable(TOO_DEEP) from error
    except ValueError as error:
        raise Unreadable(NOT_JSON) from error


def validation_errors(
    line: bytes,
    document: Any,
    *,
    starts_at: datetime,
    unsealed_at: datetime,
    day_ends_at: datetime,
    placeholders: Set[str],
) -> tuple[str, ...]:
    """Return every reason against the document of a line, in the order of the contract's fields.

    Fields that are dropped from a valid event (event_reader.py) are no reason. Events are valid from `starts_at` and
    `unsealed_at` on; `day_ends_at` is the end of the landing day, UTC. Placeholders are texts that stand for "no id",
    case-folded.
    """
    if isinstance(document, list):
        return (AN_ARRAY,)
    if not isinstance(document, dict):
        return (NOT_AN_OBJECT,)
    normalized = normalize_keys(document)
    event = clean(normalized, placeholders).present
    conflicts = [conflict for conflict in normalized.conflicts if conflict.field in REQUIRED]
    reasons = [
        *_line_reasons(line, document),
        *(f"{conflict.field}: {conflict.reason}" for conflict in conflicts),
        *_field_reasons(event | {conflict.field: None for conflict in conflicts}, Event, ""),
        *_time_reasons(event, starts_at, unsealed_at, day_ends_at),
    ]
    if "entityId" in event and "entityType" not in event:
        reasons.append("entityType: missing although entityId is given")
    for name, struct in SECTIONS.items():
        section = event.get(name)
        if section is not None:
            reasons += _field_reasons(section, struct, f"{name}.")
    if isinstance(normalized.sent.get("props"), dict):
        reasons += _props_reasons(normalized.sent["props"])
    return tuple(reasons)


def _line_reasons(line: bytes, document: dict[str, Any]) -> Iterator[str]:
    if has_duplicate_keys(line.decode()):
        yield "line: a key is given twice in one object"
    # In valid JSON NUL characters and surrogates are written as escapes.
    texts = [leaf for leaf in leaves(document) if isinstance(leaf, str)] if b"\\" in line else []
    if any("\0" in text for text in texts):
        yield "line: a NUL character (\\u0000) in a key or a text"
    if any(map(_SURROGATE.search, texts)):
        yield "line: a lone surrogate (\\ud800 to \\udfff) in a key or a text"
    try:
        msgspec.json.decode(line)
    except msgspec.ValidationError:
        yield _OUT_OF_RANGE  # the only error that msgspec has for JSON of no declared type
    except msgspec.DecodeError:
        pass  # a lone surrogate


def _field_reasons(section: dict[str, Any], struct: type[msgspec.Struct], prefix: str) -> Iterator[str]:
    for name, field, probe in _FIELDS[struct]:
        if name in SECTIONS and not prefix:
            continue
        if name not in section:
            if field.required:
                yield f"{prefix}{name}: missing"
        elif name in _TIMES and isinstance(section[name], str):
            continue  # _time_reasons has the reason
        elif section[name] is not None and not fits(section[name], probe):
            yield f"{prefix}{name}: not {expectation(field.type)}"


def _time_reasons(
    event: dict[str, Any], starts_at: datetime, unsealed_at: datetime, day_ends_at: datetime
) -> Iterator[str]:
    moments: dict[str, datetime] = {"receivedAt": day_ends_at}
    for name in _TIMES:
        if event.get(name) is None:
            continue
        moments.pop(name, None)
        if not isinstance(event[name], str):
            continue  # a reason already, from its type
        reason = timestamp_reason(event[name])
        if reason is None:
            moments[name] = parse_timestamp(event[name])
        else:
            yield f"{name}: {reason}"
    ahead = timedelta(hours=MAX_CLOCK_AHEAD_HOURS)
    occurred_at, received_at = moments.get("occurredAt"), moments.get("receivedAt")
    if occurred_at is not None and occurred_at < starts_at:
        yield "occurredAt: before the warehouse's start date"
    elif occurred_at is not None and occurred_at < unsealed_at:
        yield SEALED_DAY
    if occurred_at is not None and received_at is not None and occurred_at - received_at > ahead:
        yield f"occurredAt: more than {MAX_CLOCK_AHEAD_HOURS} hours after receivedAt"
    if received_at is not None and received_at - day_ends_at > ahead:
        yield f"receivedAt: more than {MAX_CLOCK_AHEAD_HOURS} hours after the end of the landing day"


def _props_reasons(props: dict[str, Any]) -> Iterator[str]:
    try:
        size = len(msgspec.json.encode(props))
    except (UnicodeError, RecursionError, ValueError):
        size = 0  # a lone surrogate or such a depth is a reason of its own
    if size > MAX_PROPS_BYTES:
        yield f"props: longer than {MAX_PROPS_BYTES} bytes of JSON"
    if depth_of(props) > MAX_PROPS_DEPTH:
        yield f"props: deeper than {MAX_PROPS_DEPTH} levels"
    elif has_large_number(props):
        yield "props: a number beyond 1e38"


def _read_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else math.inf


def _reject_constant(_: str) -> Any:
    raise ValueError("NaN and Infinity are not JSON")


# json.loads would make a decoder for every line.
_read: Final = json.JSONDecoder(parse_int=_read_integer, parse_constant=_reject_constant).decode
