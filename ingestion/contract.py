"""The event as the product's trackers send it: its fields, their types and every limit.

This is the one definition. Validation converts lines to these types, reasons for rejections quote their descriptions,
and `json_schema` derives the schema for producers from them.

Keys are camelCase; snake_case is accepted as well (validation/key_normalization.py). An optional field may be left out,
null or an empty text, which all mean absent. Unknown keys are ignored at the top level and in `attribution` and
`context`; in `props` they are kept.
"""

from typing import Annotated, Any, Final, Literal, get_args
from uuid import UUID

import msgspec
from msgspec import Meta

# 1 MiB: a hundred times the largest legal props; more is a broken writer, and a line is held in memory whole.
MAX_LINE_BYTES: Final = 1_048_576
# A btree entry of Postgres holds at most 2,704 bytes: 255 characters of 4 bytes fit in every index, twice.
# The contract gives no limit for ids; this one is an extension of it.
MAX_ID_LENGTH: Final = 255
MAX_UTM_LENGTH: Final = 255
# What common web servers accept as a request line; an extension of the contract, like the limit of click ids.
MAX_URL_LENGTH: Final = 8_192
MAX_CLICK_ID_LENGTH: Final = 1_024
# 10 KB of props, as compact UTF-8 JSON, before anything is redacted.
MAX_PROPS_BYTES: Final = 10_240
# Props themselves are level 1; an object or a list inside them is level 2, one inside that level 3.
MAX_PROPS_DEPTH: Final = 3
MIN_INTEGER: Final = -(2**63)
MAX_INTEGER: Final = 2**63 - 1
# Ten billion in the currency: no single sale is worth more, and 9 million such amounts still fit a bigint.
MAX_CENTS: Final = 10**12
# The largest power of ten that decimal(38, 0) of every engine holds; Postgres's numeric would take 10^131072.
MAX_NUMBER: Final = 1e38
# 31 years in seconds. With 10^8 events of that size a day the sum still fits numeric(20, 3).
MAX_ENGAGEMENT_SECONDS: Final = 1_000_000_000
# An event may claim to have happened this long after it was received (clocks go wrong), and to have been received
# this long after its landing day ended: later days would need partitions that nobody plans for.
MAX_CLOCK_AHEAD_HOURS: Final = 24

ENTITY_TYPES: Final = (
    "project", "asset", "license", "creator", "brand", "user", "royalty", "payout", "post", "category",
)  # fmt: skip
# Sources whose events come from a person's own device: these are rate limited.
DEVICE_SOURCES: Final = frozenset({"web", "mobile"})
# Sources that are servers of the product: no person's device, so that doNotTrack does not bind them.
EXEMPT_SOURCES: Final = frozenset({"api", "system", "webhook"})
DEFAULT_SOURCE: Final = "web"

# Python's `$` also matches before a last newline, so a text ends where nothing at all follows.
_END: Final = r"(?![\s\S])"


def _any_case(words: tuple[str, ...]) -> str:
    """Return a pattern that matches the words in any letter case, without flags, which JSON Schema does not have."""
    patterns = ("".join(f"[{letter}{letter.upper()}]" for letter in word) for word in words)
    return f"^({'|'.join(patterns)}){_END}"


Id = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_ID_LENGTH, description=f"a text of 1 to {MAX_ID_LENGTH} characters"),
]
EventType = Annotated[
    str,
    Meta(
        pattern=f"^[a-z][a-z0-9_]{{0,99}}{_END}",
        description="1 to 100 characters of a-z, 0-9 and _, starting with a letter",
    ),
]
Timestamp = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?"
        rf"([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?){_END}",
        max_length=64,
        description="a date and time in ISO-8601, such as 2026-10-01T09:30:00.123Z",
    ),
]
Source = Annotated[
    Literal["web", "api", "mobile", "system", "webhook"],
    Meta(description="one of web, api, mobile, system, webhook"),
]
ActorType = Annotated[
    Literal["user", "creator", "brand", "system", "admin"],
    Meta(description="one of user, creator, brand, system, admin"),
]
EntityType = Annotated[str, Meta(pattern=_any_case(ENTITY_TYPES), description=f"one of {', '.join(ENTITY_TYPES)}")]
SessionId = Annotated[UUID, Meta(description="a UUID")]
Utm = Annotated[str, Meta(max_length=MAX_UTM_LENGTH, description=f"a text of at most {MAX_UTM_LENGTH} characters")]
ClickId = Annotated[
    str,
    Meta(max_length=MAX_CLICK_ID_LENGTH, description=f"a text of at most {MAX_CLICK_ID_LENGTH} characters"),
]
# Apps have schemes of their own: android-app://<package>/, capacitor://localhost/, file:///android_asset/index.html.
Url = Annotated[
    str,
    Meta(
        pattern=rf"^({_END}|[hH][tT][tT][pP][sS]?://[^\s/?#]|(?![hH][tT][tT][pP][sS]?:)[a-zA-Z][a-zA-Z0-9+.\-]*://\S)",
        max_length=MAX_URL_LENGTH,
        description=f"a URL (scheme://...) of at most {MAX_URL_LENGTH} characters, or empty; http(s) with a host",
    ),
]
DeviceField = Annotated[
    str, Meta(max_length=MAX_ID_LENGTH, description=f"a text of at most {MAX_ID_LENGTH} characters")
]
UserAgent = Annotated[str, Meta(description="a text")]
Cents = Annotated[int, Meta(ge=0, le=MAX_CENTS, description=f"a whole number of cents from 0 to {MAX_CENTS}")]
Seconds = Annotated[
    float,
    Meta(ge=0, le=MAX_ENGAGEMENT_SECONDS, description=f"seconds from 0 to {MAX_ENGAGEMENT_SECONDS}"),
]

_Integer = Annotated[int, Meta(ge=MIN_INTEGER, le=MAX_INTEGER)]
_Number = Annotated[float, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)]
_Level3 = bool | _Integer | _Number | str | None
_Level2 = bool | _Integer | _Number | str | list[_Level3] | dict[str, _Level3] | None
AnyProps = Annotated[
    dict[str, bool | _Integer | _Number | str | list[_Level2] | dict[str, _Level2] | None],
    Meta(
        description=f"an object of at most {MAX_PROPS_BYTES} bytes of JSON and {MAX_PROPS_DEPTH} levels; numbers are"
        " between -1e38 and 1e38; known keys as in Props"
    ),
]


class Props(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """The keys of `props` that have a rule or a use of their own; all others are free."""

    revenue_cents: Cents | None = None
    fee_cents: Cents | None = None
    engagement_time: Seconds | None = None
    user_agent: UserAgent | None = None
    query: Any = None
    results_count: Any = None
    path: Any = None
    title: Any = None
    ip_address: Any = None


class Attribution(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """The source of a visit, as the tracker read it from the address and the referrer."""

    utm_source: Utm | None = None
    utm_medium: Utm | None = None
    utm_campaign: Utm | None = None
    utm_term: Utm | None = None
    utm_content: Utm | None = None
    referrer: Url | None = None
    landing_page: Url | None = None
    gclid: ClickId | None = None
    wbraid: ClickId | None = None
    gbraid: ClickId | None = None
    dclid: ClickId | None = None
    gad_source: ClickId | None = None
    fbclid: ClickId | None = None
    msclkid: ClickId | None = None
    ttclid: ClickId | None = None
    twclid: ClickId | None = None
    li_fat_id: ClickId | None = None
    yclid: ClickId | None = None


class Context(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """The device an event came from. The user agent is parsed and dropped, `ipAddress` may be sent and is never
    stored. Any `doNotTrack` but null, an empty text, false, 0 and "0", "false", "no", "off" and "unspecified" says that
    a person declined."""

    user_agent: UserAgent | None = None
    device_type: DeviceField | None = None
    browser: DeviceField | None = None
    os: DeviceField | None = None
    ip_address: Any = None
    do_not_track: Any = None


class Event(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """One tracking event. Ids are texts of 1 to 255 characters: the contract names no limit, an index needs one."""

    event_type: EventType
    occurred_at: Timestamp
    received_at: Timestamp | None = None
    idempotency_key: Id | None = None
    event_id: Id | None = None
    source: Source | None = None
    actor_id: Id | None = None
    actor_type: ActorType | None = None
    anonymous_id: Id | None = None
    session_id: SessionId | None = None
    entity_type: EntityType | None = None
    entity_id: Id | None = None
    ip_asset_id: Id | None = None
    project_id: Id | None = None
    license_id: Id | None = None
    props: AnyProps | None = None
    attribution: Attribution | None = None
    context: Context | None = None


# Texts that advertising networks add to the address of an ad, by column and in the order of Attribution. The dbt seed
# click_ids explains them.
CLICK_IDS: Final = tuple(field.name for field in msgspec.structs.fields(Attribution) if ClickId in get_args(field.type))
# Every id but the session's, which is a UUID. Of each a placeholder, such as `undefined`, counts as absent.
ID_FIELDS: Final = (
    "idempotencyKey", "eventId", "actorId", "anonymousId", "entityId", "ipAssetId", "projectId", "licenseId",
)  # fmt: skip
# The known props that are whole numbers, also when they are written 129900.0 or 1.299e5.
WHOLE_NUMBERS: Final = frozenset({"revenueCents", "feeCents"})
# The objects inside an event whose keys also have two forms.
SECTIONS: Final[dict[str, type[msgspec.Struct]]] = {
    "props": Props,
    "attribution": Attribution,
    "context": Context,
}


def camel_keys(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Return the keys of a section that differ in snake_case: snake_case to camelCase."""
    return {f.name: f.encode_name for f in msgspec.structs.fields(struct) if f.name != f.encode_name}


def expectation(annotation: Any) -> str:
    """Return the description of a type, in words that complete "<field>: not ..."."""
    for part in (annotation, *get_args(annotation)):
        for meta in getattr(part, "__metadata__", ()):
            if meta.description:
                return str(meta.description)
    return "what the contract says"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of an event in camelCase, for producers, without the rules between fields."""
    _, components = msgspec.json.schema_components([Event, Props], ref_template="#/$defs/{name}")
    return {"$ref": "#/$defs/Event", "$defs": components}
