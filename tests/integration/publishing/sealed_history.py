"""A history of which most days are to be sealed, and the retention that seals them, without Dagster."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from publishing import retention_steps
from publishing.dbt_manifest import lookback_days, manifest
from publishing.marts import marts_of
from publishing.retention_bounds import VISITOR_DAYS, Bound, bounds
from tests.integration.publishing.three_days import own_the_asset
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import writing

# A Thursday: its week and its month begin before it. The days long before are further away than fits look back.
FIRST_UNSEALED = date(2027, 2, 18)
SEALED_DAY = FIRST_UNSEALED - ONE_DAY
END = FIRST_UNSEALED + 4 * ONE_DAY
ALL = Window(START, END)
UNSEALED = Window(FIRST_UNSEALED, END)
# Where ana's phone is seen, and where she signs in on it: long ago, within reach of fits, of paths, and of sessions.
DAYS = [
    START,
    START + ONE_DAY,
    START + 40 * ONE_DAY,
    FIRST_UNSEALED - 60 * ONE_DAY,
    FIRST_UNSEALED - 25 * ONE_DAY,
    FIRST_UNSEALED - 16 * ONE_DAY,
    SEALED_DAY,
    FIRST_UNSEALED,
    FIRST_UNSEALED + 2 * ONE_DAY,
    END - ONE_DAY,
]


def event(day: date, time: str, who: dict[str, Any], event_type: str = "asset_viewed", **more: Any) -> dict[str, Any]:
    at = f"{day}T{time}Z"
    key = f"{at} {event_type} {sorted(who.items())}"
    return {"eventType": event_type, "occurredAt": at, "idempotencyKey": key, "ipAssetId": "asset-0", **who, **more}


def landing_file(day: date, number: int) -> list[dict[str, Any] | str]:
    """The lines of a day: the phone's, those of visitors of one day, a session over midnight, and what is rejected."""
    phone, guest = {"anonymousId": "phone"}, {"anonymousId": f"guest-{number}"}
    campaign = {"attribution": {"utmSource": f"partner-{number % 3}", "utmMedium": "email"}}
    lines: list[dict[str, Any] | str] = [
        event(day, "00:05:00", {"anonymousId": "night owl"}),
        event(day, "09:00:00", phone, **campaign),
        event(day, "09:01:00", phone, "asset_downloaded"),
        event(day, "10:00:00", guest, **campaign),
        event(day, "23:50:00", {"anonymousId": "night owl"}),
        "no JSON",
    ]
    if number in (0, 5):
        lines.append(event(day, "09:02:00", {**phone, "actorId": "ana"}, "user_logged_in"))
    if number % 2:
        lines.append(
            event(day, "11:00:00", {"actorId": "ana"}, "license_created", props={"revenueCents": 100 + number})
        )
        lines.append(lines[1])
    return lines


@contextmanager
def holding(pipeline: Pipeline) -> Iterator[None]:
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, "test-retention", log=print):
        yield


def all_bounds(first_unsealed: date = FIRST_UNSEALED) -> list[Bound]:
    return bounds(
        first_unsealed,
        marts_of(manifest()),
        attribution_days=lookback_days("attribution"),
        funnel_days=lookback_days("funnel"),
    )


def apply(pipeline: Pipeline, first_unsealed: date = FIRST_UNSEALED) -> retention_steps.Dropped:
    retention_steps.seal(pipeline.connection, first_unsealed, holding=lambda: holding(pipeline))
    return retention_steps.drop(
        pipeline.connection, all_bounds(first_unsealed), holding=lambda: holding(pipeline), log=print
    )


SESSIONS = "select to_jsonb(sessions) - 'visitor_id' from marts.sessions as sessions order by session_id"


def published(pipeline: Pipeline) -> dict[str, list[tuple[str, ...]]]:
    """The published rows, without visitor-days, of which sealed weeks lose some, and visitors of sessions."""
    contents = pipeline.contents(("marts", "rollups"))
    for name in VISITOR_DAYS:
        del contents[f"rollups.{name}"]
    contents["marts.sessions"] = [tuple(map(str, row)) for row in pipeline.rows(SESSIONS)]
    return contents


def changed(before: dict[str, list[tuple[str, ...]]], after: dict[str, list[tuple[str, ...]]]) -> dict[str, Any]:
    return {
        name: (sorted(set(before[name]) - set(after[name])), sorted(set(after[name]) - set(before[name])))
        for name in before
        if before[name] != after[name]
    }


def publish_history(pipeline: Pipeline) -> None:
    """Publish days from long before the boundary to a few days after it; most of them are silent."""
    pipeline.data_tests = False
    own_the_asset(pipeline)
    pipeline.read_application(START)
    for number, day in enumerate(DAYS):
        pipeline.land(day, landing_file(day, number))
    # Late: an event of a day that will be sealed lands on one that will not.
    pipeline.land(FIRST_UNSEALED, [event(SEALED_DAY, "12:00:00", {"anonymousId": "late"})], "late.ndjson")
    pipeline.run(ALL)
    pipeline.catch_up()
