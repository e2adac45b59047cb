"""Events of the sample marketplace, day by day: visits, facts of the catalog, machines, crawlers, a burst.

The events of a day depend on the seed, the day and the days before it, and never on the number of days after it.
"""

from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import Final

from sample_data.application_rows import DAY_MS, Row
from sample_data.browsing import Content, Visit
from sample_data.catalog import Catalog, DayFacts
from sample_data.simulated_tracker import Outcome, Sent, SimulatedTracker
from sample_data.visitors import CRAWLERS, Visitor, machine, new_visitor

# Lines beside the visits, as shares of them.
_CRAWLER_SHARE: Final = 0.03
_MACHINE_SHARE: Final = 0.05
# Monday to Sunday, relative to the quietest day.
_WEEKDAYS: Final = (1.09, 1.16, 1.18, 1.14, 1.07, 1.0, 1.02)
_GROWTH_A_DAY: Final = 0.004
# Visits by hour of the day, UTC.
_HOURS: Final = tuple(accumulate((3, 2, 2, 2, 2, 3, 4, 6, 8, 9, 10, 10, 10, 11, 11, 11, 11, 11, 12, 13, 13, 11, 8, 5)))

BURST_DAY: Final = 2
BURST_EVENTS: Final = 160
RATE_LIMIT: Final = 100

_SYSTEM_ENTITIES: Final = {"lic": "license", "pay": "payout", "ast": "asset"}


class Traffic:
    """The marketplace's visitors up to the latest day."""

    def __init__(self, seed: int, start: date, catalog: Catalog, events_per_day: int) -> None:
        self._seed = seed
        self._start = start
        self._catalog = catalog
        self._events_per_day = events_per_day
        self._visitors: list[Visitor] = []
        self._members: list[Visitor] = []
        self._devices: dict[str, Visitor] = {}
        self._day = -1
        rng = Random(f"{seed}/visitors")  # noqa: S311 - a sample must be repeatable, not secret
        for user in catalog.tables["users"]:
            self._device(rng, user["id"], user["role"])
        # Brands return more often than others: their visits are the paths of licenses.
        self._members.extend(visitor for visitor in self._members[:] if visitor.actor_type == "brand" for _ in range(4))

    def day(self, facts: DayFacts, lines: int | None = None) -> list[Sent]:
        """Generate all lines of the next day's events, whenever they arrive, with the facts of the catalog on that day.

        `lines` is their least number; by default as the weekday and the marketplace's growth have it.
        """
        self._day += 1
        rng = Random(f"{self._seed}/traffic/{self._day}")  # noqa: S311
        tracker = SimulatedTracker(rng, self._start)
        for kind, of_kind in facts.items():
            for at, row in of_kind:
                self._send_fact(rng, tracker, kind, at, row)
        weekday = (self._start + timedelta(days=self._day)).weekday()
        events = lines or int(self._events_per_day * _WEEKDAYS[weekday] * (1 + _GROWTH_A_DAY * self._day))
        for _ in range(int(events * _CRAWLER_SHARE / 20)):
            self._crawl(rng, tracker)
        self._run_machines(rng, tracker, int(events * _MACHINE_SHARE))
        if self._day == BURST_DAY:
            self._burst(rng, tracker)
        if self._day % 7 == 3:
            self._reuse_key(rng, tracker)
        self._stay_past_midnight(rng, tracker)
        while len(tracker.sent) < events:
            self._visit(rng, tracker)
        return tracker.sent

    def _device(self, rng: Random, user_id: str, role: str) -> Visitor:
        """Return a new device on which a user signs in; some users get a second one."""
        for _ in range(2 if rng.random() < 0.25 else 1):
            visitor = new_visitor(rng, user_id, role)
            self._members.append(visitor)
        self._devices[user_id] = visitor
        return visitor

    def _actor(self, rng: Random, user_id: str, role: str) -> Visitor:
        return self._devices.get(user_id) or self._device(rng, user_id, role)

    def _begin(self, rng: Random, tracker: SimulatedTracker, visitor: Visitor, at: int) -> Visit:
        return Visit(rng, tracker, self._catalog, visitor, at)

    def _visit(self, rng: Random, tracker: SimulatedTracker) -> None:
        kind = rng.random()
        if kind < 0.42 or not self._visitors:
            visitor = new_visitor(rng)
            self._visitors.append(visitor)
        elif kind < 0.62:
            visitor = rng.choice(self._members)
        else:
            # Most returning visitors were here recently.
            back = int(rng.expovariate(1 / 900))
            visitor = self._visitors[-1 - back] if back < len(self._visitors) else rng.choice(self._visitors)
        hour = rng.choices(range(24), cum_weights=_HOURS)[0]
        visit = self._begin(rng, tracker, visitor, self._day * DAY_MS + int((hour + rng.random()) * 3_600_000))
        steps = 1 + min(int(rng.expovariate(1 / 5.5)), 60)
        if visitor.user_id and rng.random() < 0.6:
            before = min(rng.choice((1, 1, 2)), steps)
            visit.browse(before)
            visit.sign_in()
            steps -= before
        visit.browse(steps)

    def _send_fact(self, rng: Random, tracker: SimulatedTracker, kind: str, at: int, row: Row) -> None:
        match kind:
            case "license_created":
                self._buy(rng, tracker, at, row)
            case "user_signed_up":
                self._sign_up(rng, tracker, at, row["id"], "user", kind, {"entityType": "user", "entityId": row["id"]})
            case "creator_profile_created" | "brand_profile_created":
                role = kind.split("_")[0]
                self._sign_up(rng, tracker, at, row["user_id"], role, kind, {"entityType": role, "entityId": row["id"]})
            case "asset_uploaded":
                visit = self._begin(rng, tracker, self._actor(rng, row["created_by"], "creator"), at - 60_000)
                visit.sign_in()
                visit.now = at
                visit.send(kind, {"entityType": "asset", "entityId": row["id"], "props": {"assetType": row["type"]}})
                self._system(tracker, "asset_preview_generated", at + 9_000, row["id"])
                self._system(tracker, "asset_approved", at + 600_000, row["id"])
            case "project_created":
                user_id = self._owner_of(row["brand_id"])
                visit = self._begin(rng, tracker, self._actor(rng, user_id, "brand"), at - 30_000)
                visit.sign_in()
                visit.now = at
                visit.send(kind, {"entityType": "project", "entityId": row["id"], "props": {"name": row["name"]}})
            case "ownership_transferred":
                self._system(tracker, kind, at, row["ip_asset_id"])
            case "license_signed":
                self._system(tracker, kind, at, row["id"], source="webhook")
            case "license_renewed":
                self._system(tracker, kind, at + 2_000, row["id"], feeCents=row["fee_cents"])
            case _:
                amount = {"amountCents": row["amount_cents"]} if "amount_cents" in row else {}
                self._system(tracker, kind, at, row["id"], **amount)

    def _owner_of(self, brand_id: str) -> str:
        return next(str(brand["user_id"]) for brand in self._catalog.tables["brands"] if brand["id"] == brand_id)

    def _buy(self, rng: Random, tracker: SimulatedTracker, at: int, row: Row) -> None:
        """Send the purchase of a license, at the end of a visit or through the API."""
        buyer = self._actor(rng, self._owner_of(row["brand_id"]), "brand")
        content = {"entityType": "license", "entityId": row["id"]}
        if rng.random() < 0.7:
            content |= {"ipAssetId": row["ip_asset_id"], "projectId": row["project_id"]}
        # Events of free licenses have a fee of 0 or none.
        if row["fee_cents"] or rng.random() < 0.5:
            # Some clients send whole numbers as floats, such as 129900.0.
            fee = float(row["fee_cents"]) if rng.random() < 0.1 else row["fee_cents"]
            content["props"] = {"revenueCents": fee, "feeCents": row["fee_cents"], "currency": "USD"}
        if rng.random() < 0.1:
            program = machine("api", buyer.user_id, "brand")
            tracker.send(program, at, "license_created", content, is_signed_in=True)
            return
        # The visit begins and ends on the day of the license.
        visit = self._begin(rng, tracker, buyer, at - rng.randrange(100_000, 900_000))
        visit.view_asset(row["ip_asset_id"])
        visit.now = at - 80_000
        visit.sign_in()
        visit.now = at - rng.randrange(15_000, 60_000)
        visit.send("license_clicked", {"entityType": "asset", "entityId": row["ip_asset_id"]})
        visit.now = at
        visit.send("license_created", content)

    def _sign_up(
        self, rng: Random, tracker: SimulatedTracker, at: int, user_id: str, role: str, kind: str, content: Content
    ) -> None:
        """Send the sign-up of an anonymous visitor, often one of the last days."""
        visitor = self._visitors[-rng.randrange(1, 800)] if len(self._visitors) >= 800 else new_visitor(rng)
        if visitor.user_id or visitor.is_not_tracked:
            visitor = new_visitor(rng)
        visitor.is_not_tracked = False
        visit = self._begin(rng, tracker, visitor, at - 120_000)
        visit.browse(1)
        visit.join(user_id, role)
        visit.now = at
        if kind != "user_signed_up":
            visit.send("user_signed_up", {"entityType": "user", "entityId": user_id})
        visit.send(kind, content)
        visit.send("user_email_verified", {"entityType": "user", "entityId": user_id})
        self._devices[user_id] = visitor
        self._members.extend([visitor] * (5 if role == "brand" else 1))

    def _system(
        self, tracker: SimulatedTracker, kind: str, at: int, entity_id: str, *, source: str = "system", **props: object
    ) -> None:
        entity_type = _SYSTEM_ENTITIES[entity_id.split("_")[0]]
        content = {"actorType": "system", "entityType": entity_type, "entityId": entity_id, "props": props}
        tracker.send(machine(source), at, kind, content)

    def _run_machines(self, rng: Random, tracker: SimulatedTracker, events: int) -> None:
        for _ in range(events):
            at = self._day * DAY_MS + rng.randrange(DAY_MS)
            member = rng.choice(self._members)
            kind = rng.choice(("email_sent", "email_opened", "api_request", "webhook_received", "job_completed"))
            if kind == "api_request":
                props = {"path": "/v1/assets", "status": rng.choice((200, 200, 200, 404)), "ms": rng.randrange(400)}
                program = machine("api", member.user_id, member.actor_type)
                tracker.send(program, at, kind, {"props": props}, is_signed_in=True)
            elif kind.startswith("email"):
                source = "system" if kind == "email_sent" else "webhook"
                content = {"entityType": "user", "entityId": member.user_id, "props": {"template": "weekly_digest"}}
                tracker.send(machine(source), at, kind, content)
            else:
                source = "webhook" if kind == "webhook_received" else "system"
                tracker.send(machine(source), at, kind, {"props": {"name": "thumbnails", "ms": rng.randrange(9_000)}})

    def _crawl(self, rng: Random, tracker: SimulatedTracker) -> None:
        crawler = new_visitor(rng)
        crawler.source, crawler.user_agent, crawler.is_not_tracked = "web", rng.choice(CRAWLERS), False
        crawler.sends_session_id = crawler.is_snake_case = False
        visit = self._begin(rng, tracker, crawler, self._day * DAY_MS + rng.randrange(DAY_MS))
        for _ in range(rng.randrange(10, 31)):
            visit.view_asset(str(rng.choice(self._catalog.assets)["id"]))

    def _burst(self, rng: Random, tracker: SimulatedTracker) -> None:
        """Send more events of one device in one clock minute than the rate limit allows, as a faulty page does."""
        visitor = new_visitor(rng)
        visitor.is_not_tracked, visitor.source, visitor.key_field = False, "web", "idempotencyKey"
        minute = self._day * DAY_MS + 11 * 3_600_000 + 7 * 60_000
        for number in range(BURST_EVENTS):
            outcome = Outcome.ACCEPTED if number < RATE_LIMIT else Outcome.RATE_LIMITED
            at = minute + number * 350
            tracker.send(
                visitor, at, "button_clicked", {"props": {"name": "stuck"}}, received_at=at + 100, outcome=outcome
            )

    def _stay_past_midnight(self, rng: Random, tracker: SimulatedTracker) -> None:
        """Send a visit across midnight, with events in the last millisecond of the day and the first of the next."""
        midnight = (self._day + 1) * DAY_MS
        visit = self._begin(rng, tracker, rng.choice(self._members), midnight - 200_000)
        visit.browse(1)
        for at in (midnight - 1, midnight):
            visit.now = at
            visit.browse(1)

    def _reuse_key(self, rng: Random, tracker: SimulatedTracker) -> None:
        """Send one key on two days, which gives two events and a warning."""
        visitor = new_visitor(rng)
        visitor.is_not_tracked, visitor.key_field = False, "idempotencyKey"
        key = f"reused-{self._day}"
        for at in (self._day * DAY_MS + 43_200_000, (self._day + 1) * DAY_MS + 43_200_000):
            tracker.send(visitor, at, "page_viewed", {"props": {"path": "/"}}, key=key)
