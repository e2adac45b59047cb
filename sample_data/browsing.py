"""Visits of the sample marketplace: sequences of pages, assets and buttons, with pauses."""

from random import Random
from typing import Any, Final
from uuid import UUID

from sample_data.application_rows import DAY_MS, MAIL_DOMAIN, PASSWORD_MARK
from sample_data.catalog import Catalog
from sample_data.simulated_tracker import SimulatedTracker
from sample_data.visitors import OWN_SITE, Visitor, arrival

Content = dict[str, Any]

# Event types of a visit, by weight. The registry does not list the last two.
_STEPS: Final = {
    "asset_viewed": 43.0,
    "page_viewed": 19.0,
    "search_performed": 8.0,
    "asset_downloaded": 5.0,
    "license_viewed": 4.0,
    "creator_portfolio_viewed": 4.0,
    "filter_applied": 4.0,
    "cta_clicked": 3.0,
    "license_clicked": 3.0,
    "button_clicked": 2.0,
    "modal_opened": 1.5,
    "modal_closed": 1.2,
    "brand_project_viewed": 1.2,
    "asset_shared": 0.7,
    "form_submitted": 0.3,
    "asset_bookmarked": 0.07,
    "checkout_step_viewed": 0.03,
}
_STEP_NAMES: Final = tuple(_STEPS)
_STEP_WEIGHTS: Final = tuple(_STEPS.values())
_PAGES: Final = (
    "/",
    "/",
    "/explore",
    "/explore",
    "/pricing",
    "/creators",
    "/brands",
    "/how-it-works",
    "/blog/licensing",
)
_QUERIES: Final = ("watercolor fox", "retro font", "lo-fi beat", "space background", "mascot", "neon city", "whale")
_OFFLINE_SHARE: Final = 0.03


class Visit:
    """One session of a visitor, sent event by event to a tracker. `now` is the time of the next event."""

    def __init__(self, rng: Random, tracker: SimulatedTracker, catalog: Catalog, visitor: Visitor, now: int) -> None:
        self.now = now
        self._rng = rng
        self._tracker = tracker
        self._catalog = catalog
        self._visitor = visitor
        self._is_signed_in = False
        self._asset_id = self._pick_asset()
        # Some visits begin on the page of their asset.
        path = rng.choice(_PAGES) if rng.random() < 0.6 else f"/assets/{self._asset_id}"
        self._arrival = arrival(rng, path)
        self._is_first = True
        own_session = str(UUID(int=rng.getrandbits(128), version=4)) if visitor.sends_session_id else None
        session_id = visitor.session_placeholder or own_session
        self._fixed: Content = {"sessionId": session_id} if session_id else {}
        # A phone without a connection keeps its events and sends them all at once, up to five days later.
        is_offline = visitor.source == "mobile" and rng.random() < _OFFLINE_SHARE
        self._delivered_at = now + int(rng.triangular(0.2, 5, 1) * DAY_MS) if is_offline else None

    def sign_in(self) -> None:
        """Sign in as the user of the device, and send the event."""
        self._is_signed_in = True
        self.send("user_logged_in", {"entityType": "user", "entityId": self._visitor.user_id})

    def join(self, user_id: str, actor_type: str = "user") -> None:
        """Make the visitor a user: the device is linked with the user from now on."""
        self._visitor.user_id = user_id
        self._visitor.actor_type = actor_type
        self._is_signed_in = True

    def view_asset(self, asset_id: str) -> None:
        """Send a view of an asset."""
        self._asset_id = asset_id
        self.send("asset_viewed", self._content("asset_viewed"))

    def browse(self, steps: int) -> None:
        """Send a number of random events."""
        for name in self._rng.choices(_STEP_NAMES, _STEP_WEIGHTS, k=steps):
            if name == "asset_viewed":
                self._asset_id = self._pick_asset()
            self.send(name, self._content(name))

    def send(self, event_type: str, content: Content) -> None:
        """Send one event now, and move on by some seconds, sometimes by a long break."""
        attribution = self._attribution()
        event = self._fixed | content
        if attribution:
            event["attribution"] = attribution
        received_at = self._delivered_at if self._delivered_at and self._delivered_at > self.now else None
        self._tracker.send(
            self._visitor,
            self.now,
            event_type,
            event,
            received_at=received_at,
            is_signed_in=self._is_signed_in,
        )
        pause = 1 / 40_000 if self._rng.random() > 0.006 else 1 / 3_000_000
        self.now += 900 + int(self._rng.expovariate(pause))

    def _attribution(self) -> Content:
        if self._is_first:
            self._is_first = False
            return self._arrival
        if self._visitor.sends_attribution_again:
            return self._arrival
        if self._rng.random() < 0.03:
            return {"referrer": f"{OWN_SITE}/explore", "landingPage": f"{OWN_SITE}/assets/{self._asset_id}"}
        return {}

    def _pick_asset(self) -> str:
        """Return a random asset; few assets get most of the views."""
        assets = self._catalog.assets
        return str(assets[int(len(assets) * self._rng.random() ** 2.2)]["id"])

    def _content(self, event_type: str) -> Content:
        rng = self._rng
        match event_type:
            case "asset_viewed":
                return self._asset({"engagementTime": round(rng.expovariate(1 / 28), 1)} if rng.random() < 0.8 else {})
            case "asset_downloaded":
                return self._asset({"format": rng.choice(("preview", "sample"))})
            case "license_clicked" | "asset_shared" | "asset_bookmarked" | "checkout_step_viewed":
                return self._asset({})
            case "license_viewed":
                licenses = self._catalog.licenses_of.get(self._asset_id)
                if not licenses:
                    return self._asset({})
                # The event names only the license; the warehouse adds its asset and project.
                return {"entityType": "license", "entityId": rng.choice(licenses)["id"]}
            case "creator_portfolio_viewed":
                return {"entityType": "creator", "entityId": rng.choice(self._catalog.tables["creators"])["id"]}
            case "brand_project_viewed":
                project = rng.choice(self._catalog.tables["projects"])
                return {"entityType": "project", "entityId": project["id"]}
            case "search_performed":
                query = rng.choice(_QUERIES)
                if rng.random() < 0.03:
                    # Search fields sometimes receive personal data.
                    query = f"{query} please mail jane.doe{rng.randrange(1000)}@{MAIL_DOMAIN}"
                return {"props": {"query": query, "resultsCount": rng.randrange(0, 240)}}
            case "form_submitted":
                return {"props": self._form()}
            case "filter_applied":
                return {"props": {"filters": {"type": rng.choice(("font", "audio", "image")), "maxFee": 50_000}}}
            case "page_viewed":
                page = rng.choice(_PAGES)
                props: Content = {"path": page, "title": f"Licensery - {page.strip('/') or 'home'}"}
                if rng.random() < 0.4:
                    props["engagementTime"] = int(rng.expovariate(1 / 20))
                return {"props": props}
            case _:
                return {"props": {"name": rng.choice(("sign_up", "license_now", "newsletter", "cookie_banner"))}}

    def _asset(self, props: Content) -> Content:
        draw = self._rng.random()
        kind = "asset" if draw < 0.95 else "ASSET" if draw < 0.98 else "Asset"
        content: Content = {"entityType": kind, "entityId": self._asset_id, "props": props}
        if draw < 0.5:
            content["ipAssetId"] = self._asset_id
        return content

    def _form(self) -> Content:
        rng = self._rng
        return {
            "form": "contact",
            "email": f"visitor{rng.randrange(10_000)}@{MAIL_DOMAIN}",
            "phone": f"+1 415 555 01{rng.randrange(100):02d}",
            "message": f"Call me at +1 (415) 555-01{rng.randrange(100):02d} or write to me.too@{MAIL_DOMAIN}",
            "password": f"{PASSWORD_MARK}{rng.getrandbits(32):08x}",
        }
