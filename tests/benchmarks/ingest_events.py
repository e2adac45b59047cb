"""The landing files of the ingestion benchmark: one landing day of events of about 600 bytes, the same at every run."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

import msgspec

LANDING_DATE: Final = date(2026, 10, 2)
START_DATE: Final = date(2026, 10, 1)
FILES: Final = 8
SHARE_BAD: Final = 0.01
SHARE_DUPLICATE: Final = 0.02
# Of the landing day before, arriving a few hours late.
SHARE_LATE: Final = 0.03
# A copy follows its event at this distance: about half of the copies are in another file than their event.
_REMEMBERED: Final = 100_000

_AGENTS: Final = tuple(
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/{v}.0.0.0 Safari/537.36" for v in range(100, 129)
)
_TYPES: Final = ("page_viewed", "asset_viewed", "asset_viewed", "asset_viewed", "license_clicked", "search_performed")
_WORDS: Final = (
    "sunset",
    "mountain",
    "portrait",
    "vintage",
    "abstract",
    "harbour",
    "forest",
    "neon",
    "street",
    "ocean",
)
_encode: Final = msgspec.json.Encoder().encode


def write_landing(root: Path, events: int, *, packed: bool) -> int:
    """Write so many lines below `root`; returns their bytes before packing."""
    folder = root / "events" / f"dt={LANDING_DATE}"
    folder.mkdir(parents=True)
    lines = _lines(events)
    size = 0
    for number in range(FILES):
        count = events * (number + 1) // FILES - events * number // FILES
        content = b"".join(next(lines) for _ in range(count))
        size += len(content)
        if packed:
            from backports import zstd

            (folder / f"part-{number:03}.ndjson.zst").write_bytes(zstd.compress(content))
        else:
            (folder / f"part-{number:03}.ndjson").write_bytes(content)
    return size


def _lines(events: int) -> Iterator[bytes]:
    rng = Random(1)  # noqa: S311
    written: list[dict[str, Any]] = []
    remembered = min(_REMEMBERED, max(1, events // 4))
    for number in range(events):
        chance = rng.random()
        if chance < SHARE_DUPLICATE and written:
            event = rng.choice(written)
            # A retry keeps its key and its time and is received a little later.
            yield _encode(event | {"receivedAt": event["receivedAt"].replace("Z", "9Z")}) + b"\n"
            continue
        event = _event(rng, number)
        if chance < SHARE_DUPLICATE + SHARE_BAD:
            yield _broken(rng, event) + b"\n"
            continue
        if len(written) < remembered:
            written.append(event)
        elif chance > 1 - 0.2:
            written[rng.randrange(remembered)] = event
        yield _encode(event) + b"\n"


def _event(rng: Random, number: int) -> dict[str, Any]:
    day = LANDING_DATE - timedelta(days=rng.random() < SHARE_LATE)
    occurred_at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(milliseconds=rng.randrange(86_400_000))
    received_at = occurred_at + timedelta(milliseconds=rng.randrange(50, 5_000))
    visitor = rng.getrandbits(18)
    asset = f"asset-{rng.randrange(5_000):05}"
    event: dict[str, Any] = {
        "eventType": rng.choice(_TYPES),
        "occurredAt": occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "receivedAt": received_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "idempotencyKey": str(UUID(int=rng.getrandbits(128), version=4)),
        "source": "mobile" if visitor % 3 == 0 else "web",
        "anonymousId": f"anon-{visitor * 2_654_435_761 % 2**64:016x}",
        "sessionId": str(UUID(int=visitor << 64 | visitor, version=4)),
        "entityType": "asset",
        "entityId": asset,
        "props": {
            "path": f"/assets/{asset}/{rng.choice(_WORDS)}-{rng.choice(_WORDS)}",
            "title": " ".join(rng.choices(_WORDS, k=4)),
            "resultsCount": rng.randrange(500),
            "engagementTime": rng.randrange(100_000) / 1000,
            "position": number % 40,
        },
        "context": {"userAgent": _AGENTS[visitor % len(_AGENTS)], "ipAddress": f"203.0.113.{visitor % 250}"},
    }
    if visitor % 4 == 0:
        event |= {"actorId": f"user-{visitor:07}", "actorType": "brand"}
    if rng.random() < 0.3:
        event["attribution"] = {
            "utmSource": "newsletter",
            "utmMedium": "email",
            "utmCampaign": f"autumn-{rng.choice(_WORDS)}",
            "referrer": f"https://www.{rng.choice(_WORDS)}.example/",
        }
    if rng.random() < 0.05:
        event["props"]["revenueCents"] = rng.randrange(100, 1_000_000)
    return event


def _broken(rng: Random, event: dict[str, Any]) -> bytes:
    match rng.randrange(4):
        case 0:
            return _encode(event)[: rng.randrange(20, 400)]
        case 1:
            return _encode(event | {"eventType": "Not A Type"})
        case 2:
            return _encode(event | {"occurredAt": "yesterday"})
        case _:
            return _encode({name: value for name, value in event.items() if name != "entityType"})
