"""A generated quarter of the marketplace: what its trackers and servers sent, and the product's own tables.

Small, and full of what the words of the contract are about: half hours to the microsecond, midnights, devices that are
shared, sessions over days, funnels that end anywhere, terms that change hands. What the dashboards must show of
it is in dashboard_formulas.py.
"""

import random
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from ingestion.application.source import connect_application
from tests.support import application_tables
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

# October to December: weeks that reach into two months, and a period of 90 days that is not all of them.
DAYS = 92
QUARTER = Window(START, START + DAYS * ONE_DAY)
LAST = QUARTER.end - ONE_DAY
MIDNIGHT = datetime.combine(START, time(0), UTC)
ASSETS, CREATORS, BRANDS, USERS, LICENSES = 16, 5, 5, 40, 30

# What an event carries of where it came from: more sources and more hosts than a top ten shows; sources that are
# spelt otherwise, origins without a source, and what is no origin: a page alone, the marketplace's own pages, the
# page's own host, and coming back from a payment.
ORIGINS: list[dict[str, str]] = [
    *({"utmSource": f"news-{number}", "utmMedium": "email"} for number in range(12)),
    {"utmSource": "Google", "utmMedium": "cpc", "referrer": "https://www.google.com/"},
    {"utmSource": " google "},
    {"referrer": "https://www.google.com/"},
    {"utmMedium": "email"},
    {"utmCampaign": "Autumn"},
    {"utmCampaign": "\u200bAUTUMN", "utmMedium": "Email\u00a0"},
    {"utmSource": "WWW.partner.example", "utmMedium": "\uff25\uff4d\uff41\uff49\uff4c"},
    {"utmSource": "\u00a0"},
    {"gclid": "a click"},
    {"wbraid": "a click on a phone", "gadSource": "1", "referrer": "https://www.google.com/"},
    {"fbclid": "another"},
    {"utmTerm": "cats"},
    {"utmContent": "left"},
    {"landingPage": "https://licensery.example/"},
    *({"referrer": f"https://host-{number}.example/page?of={number}"} for number in range(11)),
    {"referrer": "HTTPS://WWW.Host-1.Example:8080/"},
    {"referrer": "https://www.host-2.example"},
    {"referrer": "https://m.host-3.example/"},
    {"referrer": "http://localhost:3000/"},
    {"referrer": "https://www.paypal.com/back"},
    {"referrer": "https://licensery.example/assets"},
    {"referrer": "https://shop.example/a", "landingPage": "https://shop.example/b"},
    {"referrer": ""},
]
# How long after one event the next one follows. Exactly half an hour is a pause, and after two of the last a tracker's
# session is on its third day.
PAUSES = [
    *[timedelta(seconds=seconds) for seconds in (0, 1, 20, 60, 600, 1_500)],
    timedelta(minutes=30) - timedelta(microseconds=1),
    timedelta(minutes=30),
    timedelta(hours=14),
]
LADDER = [["asset_viewed"], ["asset_downloaded", "license_clicked"], ["license_created"], ["license_signed"]]
OTHER_KINDS = ["asset_viewed", "page_viewed", "asset_shared", *(kind for step in LADDER for kind in step)]
BOT = {"context": {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}}


def random_events(chance: random.Random) -> list[dict[str, Any]]:
    """Visits of people on devices, of whom some sign in, share a device, or come again weeks later; servers, crawlers.

    The day after the quarter has some too, which is not published.
    """
    events = [event for number in range(330) for event in _visit(chance, number)]
    events += [*_thirty_days_later(), *_followed_by_servers()]
    for number, event in enumerate(events):
        event["idempotencyKey"] = str(number)
        event["occurredAt"] = event["occurredAt"].isoformat()
    return events


def _visit(chance: random.Random, number: int) -> list[dict[str, Any]]:
    offset = chance.choice([chance.randrange(DAYS + 1), DAYS - chance.randrange(12)])
    second = chance.choice([0, 86_399, *(chance.randrange(86_400) for _ in range(4))])
    at = MIDNIGHT + timedelta(days=offset, seconds=second)
    # New ones appear all the time, and old ones return.
    device = chance.randrange(offset // 2 + 4)
    on_device = {"anonymousId": f"device-{device}"}
    who = chance.choice(
        [
            *[on_device] * 6,
            on_device | {"sessionId": _tracked(f"{device} {chance.randrange(2)}")},
            on_device | {"sessionId": _tracked(f"visit {number}"), "source": "mobile"},
            {"sessionId": _tracked(f"visit {number}")},
            {"actorId": f"user-{device}"},
        ]
    )
    what = {"ipAssetId": f"asset-{_asset(chance)}"}
    events = []
    for step in range(chance.randrange(1, 7)):
        climbs = chance.random() < 0.6
        event: dict[str, Any] = {
            "eventType": chance.choice(LADDER[min(step, 3)] if climbs else OTHER_KINDS),
            "occurredAt": at,
            "props": {"revenueCents": chance.randrange(5_000), "engagementTime": chance.randrange(9_000) / 1000},
            **who,
            **(what if climbs else _something(chance)),
        }
        if chance.random() < 0.12:
            event["actorId"] = f"user-{chance.choice([device, device, device // 2])}"
            if chance.random() < 0.4:
                events.append(_of_a_server(chance, event["actorId"], at + chance.choice(PAUSES)))
        if chance.random() < 0.5:
            event["attribution"] = chance.choice(ORIGINS)
        if chance.random() < 0.05:
            event |= BOT
        events.append(event)
        at += chance.choice(PAUSES)
    return [event for event in events if event["occurredAt"] < MIDNIGHT + timedelta(days=DAYS + 1)]


def _tracked(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


def _asset(chance: random.Random) -> int:
    """One has most of the events, one has none."""
    return chance.choice([0, chance.randrange(3), chance.randrange(ASSETS - 1)])


def _something(chance: random.Random) -> dict[str, str]:
    """Return the ids that an event names: of the licenses, one that nobody knows."""
    asset = {"ipAssetId": f"asset-{_asset(chance)}"}
    license_ = {"licenseId": f"license-{chance.randrange(LICENSES + 1)}"}
    return chance.choice([asset, asset, license_, license_, asset | license_, asset | {"projectId": "project-0"}, {}])


def _of_a_server(chance: random.Random, actor: str, at: datetime) -> dict[str, Any]:
    return {
        "eventType": chance.choice(["license_created", "license_signed", "asset_shared"]),
        "occurredAt": at,
        "source": chance.choice(["api", "system", "webhook"]),
        "actorId": actor,
        "props": {"revenueCents": chance.randrange(5_000)},
        **_something(chance),
        **({"attribution": chance.choice(ORIGINS)} if chance.random() < 0.3 else {}),
    }


def _thirty_days_later() -> list[dict[str, Any]]:
    """A view, and a click a moment less than 30 days after it, 30 days after it, and a moment too late."""
    view = MIDNIGHT + timedelta(days=20, hours=10)
    return [
        {"eventType": kind, "occurredAt": at, "anonymousId": f"patient-{number}", "ipAssetId": "asset-1"}
        for number, moment in enumerate((-1, 0, 1))
        for kind, at in [
            ("asset_viewed", view),
            ("asset_downloaded", view + timedelta(days=30, microseconds=moment)),
        ]
    ]


def _followed_by_servers() -> list[dict[str, Any]]:
    """Conversions that a server reports less than half an hour after its actor was seen, and half an hour after; and of
    another actor, whose session of two days is over at midnight."""
    noon = MIDNIGHT + timedelta(days=30, hours=12)
    night = MIDNIGHT + timedelta(days=34, hours=23, minutes=50)
    of_days = {"actorId": "user-31", "sessionId": _tracked("two days")}
    seen = [(noon, {"actorId": "user-30"}), (night - timedelta(hours=30), of_days), (night, of_days)]
    reported = [
        (noon + timedelta(minutes=30, microseconds=-1), "user-30"),
        (noon + timedelta(minutes=30), "user-30"),
        (night + timedelta(minutes=5), "user-31"),
        (night + timedelta(minutes=15), "user-31"),
    ]
    on_asset = {"ipAssetId": "asset-1"}
    return [
        *(
            {"eventType": "asset_viewed", "occurredAt": at, "attribution": ORIGINS[0], **who, **on_asset}
            for at, who in seen
        ),
        *(
            {"eventType": "license_created", "occurredAt": at, "actorId": actor, "source": "api", **on_asset}
            for at, actor in reported
        ),
    ]


def create_application(pipeline: Pipeline, chance: random.Random) -> None:
    """Assets, one without events and one deleted, whose shares change hands; creators, one without assets; brands, one
    without a project, one with nothing; licenses of all kinds of terms, with refunds and renewals. Some of all of them
    are from before the quarter, and some of the day after it."""
    day = [START + timedelta(days=offset) for offset in range(DAYS + 30)]

    def moment() -> datetime:
        offset = chance.choice([-20, DAYS, DAYS - 1, *(chance.randrange(DAYS) for _ in range(7))])
        last = time(23, 59, 59, 999_999)
        return datetime.combine(START + timedelta(days=offset), chance.choice([time(0), time(12), last]), UTC)

    shares = [
        (asset, creator, chance.choice([None, *day[:30]]) or START, chance.choice([None, None, *day[40:]]))
        for asset in range(6)
        for creator in chance.sample(range(4), chance.choice([1, 1, 2, 3]))
    ]
    # More than ten of one's own; sold at noon, and bought back by the same; twice a share of the same.
    shares += [(asset, 1, START, None) for asset in range(ASSETS)]
    shares += [(0, 0, day[50], day[51]), (0, 0, day[20], None), (7, 1, day[0], day[0])]
    licenses = [
        (
            f"license-{number}",
            f"asset-{chance.randrange(6)}",
            (brand := chance.randrange(4)),
            chance.choice([None, f"project-{brand}"]) if brand < 2 else None,
            chance.choice([None, f"license-{chance.randrange(LICENSES)}"]),
            chance.choice([None, 0, 5_000, 12_345]),
            (start := chance.choice(day[:DAYS])),
            chance.choice([None, start, start + timedelta(days=chance.randrange(60))]),
            chance.choice([moment(), datetime.combine(start, time(12), UTC) - timedelta(days=chance.randrange(10))]),
        )
        for number in range(LICENSES)
    ]
    # Renewed on the last of the 30 days, and a moment later; on the last published day, and a moment later.
    for end, renewed in (
        (day[40], day[71]),
        (day[41], day[72]),
        (day[DAYS - 9], day[DAYS]),
        (day[DAYS - 8], day[DAYS]),
    ):
        too_late = end in (day[41], day[DAYS - 8])
        renewed_at = datetime.combine(renewed, time(0), UTC) - timedelta(microseconds=0 if too_late else 1)
        ending = f"license-until-{end}"
        licenses += [
            (ending, "asset-2", 0, "project-0", None, 100, day[0], end, MIDNIGHT),
            (f"{ending}-renewed", "asset-2", 0, "project-0", ending, 100, end, None, renewed_at),
        ]
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application, application.cursor() as cursor:
        cursor.execute(application_tables.DDL)  # type: ignore[arg-type]
        cursor.execute(
            "create table license_adjustments (id text, license_id text, amount_cents bigint, reason text,"
            " effective_date date, created_at timestamptz);"
            "insert into projects select 'project-' || n, 'brand-' || n, 'Project ' || n, 0, now()"
            " from generate_series(0, 1) as n"
        )
        cursor.executemany(
            "insert into users values ('user-' || %s, null, 'user', %s, %s)",
            [(str(n), moment(), moment() if n % 9 == 4 else None) for n in range(USERS)],
        )
        cursor.executemany(
            "insert into creators values ('creator-' || %s, 'user-' || %s, 'Creator ' || %s, %s, %s)",
            [(str(n), str(n), str(n), moment(), moment() if n == 3 else None) for n in range(CREATORS)],
        )
        cursor.executemany(
            "insert into brands values ('brand-' || %s, 'user-9', 'Brand ' || %s, %s, %s)",
            [(str(n), str(n), moment(), moment() if n == 3 else None) for n in range(BRANDS)],
        )
        cursor.executemany(
            "insert into ip_assets values ('asset-' || %s, 'Title ' || %s, 'image', 'user-' || %s, %s, %s)",
            [
                (str(n), str(n % 3), str(chance.randrange(7)), moment(), moment() if n == 5 else None)
                for n in range(ASSETS)
            ],
        )
        cursor.executemany(
            "insert into ip_ownerships values (%s, 'asset-' || %s, 'creator-' || %s, 1000, %s, %s)",
            [(str(number), str(asset), str(creator), *term) for number, (asset, creator, *term) in enumerate(shares)],
        )
        cursor.executemany(
            "insert into licenses values (%s, %s, 'brand-' || %s, %s, %s, %s, 'active', %s, %s, %s)",
            [(of, asset, str(brand), *rest) for of, asset, brand, *rest in licenses],
        )
        cursor.executemany(
            "insert into license_adjustments values (%s, %s, %s, 'refund', %s, now())",
            [
                (
                    str(number),
                    f"license-{chance.randrange(LICENSES)}",
                    chance.randrange(-3_000, 3_000),
                    chance.choice(day),
                )
                for number in range(12)
            ],
        )
        application.commit()
