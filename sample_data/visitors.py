"""Visitors of the sample marketplace: devices with their defects, and sources of visits with their weights."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from urllib.parse import quote

from sample_data.application_rows import MAIL_DOMAIN, PASSWORD_MARK

OWN_SITE: Final = "https://www.licensery.example"

_WEBKIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_SAFARI: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{}.1"
_WINDOWS: Final = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/{{}}.0.0.0 Safari/537.36"
_MAC: Final = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_SAFARI} Safari/605.1.15"
_FIREFOX: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
_IPHONE: Final = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {_SAFARI} Mobile/15E148 Safari/604.1"
_ANDROID: Final = f"Mozilla/5.0 (Linux; Android {{}}; Pixel 8) {_WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36"
_BROWSERS: Final = (
    *(_WINDOWS.format(version) for version in (124, 125, 126, 127, 128)),
    *(_MAC.format(version) for version in (16, 17, 18)),
    *(_FIREFOX.format(version) for version in (126, 127, 128)),
)
_PHONES: Final = (
    *(_IPHONE.format(version) for version in (16, 17, 18)),
    *(_ANDROID.format(version) for version in (12, 13, 14)),
    # A web view of an app, which adds its own part behind that of the browser.
    f"{_ANDROID.format(13)} Instagram 300.0.0.29.110 Android (33/13; 480dpi; 1080x2181; Google; Pixel 8; shiba)",
)
CRAWLERS: Final = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "meta-externalfetcher/1.1",
    "ELB-HealthChecker/2.0",
)
# Share of devices without an id: scripts that run too early, and apps that send a placeholder.
_WITHOUT_ID_SHARE: Final = 0.005
_NO_IDS: Final = ("undefined", "null", "Unknown", "[object Object]")
_WITHOUT_SESSION_SHARE: Final = 0.01
_NO_SESSIONS: Final = ("00000000-0000-0000-0000-000000000000", "undefined", "session-17")
_REFUSALS: Final = (True, 1, 1.0, "1", "yes", "Enabled")


@dataclass(slots=True)
class Visitor:
    """A device, its user, and the behaviour of its version of the tracker."""

    source: str
    user_id: str | None
    actor_type: str
    anonymous_id: str = ""
    user_agent: str = ""
    ip_address: str | None = None
    utc_offset_hours: int = 0
    sends_session_id: bool = False
    sends_received_at: bool = True
    sends_attribution_again: bool = False
    sends_agent_in_props: bool = False
    is_snake_case: bool = False
    is_not_tracked: bool = False
    # Value of doNotTrack, which differs between old trackers.
    refusal: object = True
    # Sent by some clients in place of an unknown session id.
    session_placeholder: str | None = None
    key_field: str | None = "idempotencyKey"

    @property
    def has_present_tracker(self) -> bool:
        """Return whether the device runs the present tracker, without the defects of older versions."""
        is_older = self.is_snake_case or self.sends_agent_in_props or not self.sends_received_at
        return self.key_field == "idempotencyKey" and not is_older


def new_visitor(rng: Random, user_id: str | None = None, actor_type: str = "user") -> Visitor:
    """Return a new device. A device with a user has consented to tracking."""
    chance = rng.random
    source = "mobile" if chance() < 0.3 else "web"
    has_no_id = chance() < _WITHOUT_ID_SHARE
    is_phone = source == "mobile" or chance() < 0.3
    return Visitor(
        anonymous_id=rng.choice(_NO_IDS) if has_no_id else f"anon-{rng.getrandbits(64):016x}",
        source=source,
        user_agent=rng.choice(_PHONES if is_phone else _BROWSERS),
        # An address range reserved for documentation.
        ip_address=f"203.0.113.{rng.randrange(1, 255)}" if chance() < 0.3 else None,
        utc_offset_hours=rng.choice((-7, -5, 2, 9)) if chance() < 0.12 else 0,
        sends_session_id=chance() < 0.8,
        sends_received_at=chance() < 0.9,
        sends_attribution_again=chance() < 0.35,
        sends_agent_in_props=chance() < 0.1,
        is_snake_case=chance() < 0.03,
        # The present tracker sends no events of these visitors; older ones rely on the warehouse.
        is_not_tracked=user_id is None and chance() < 0.05,
        refusal=rng.choice(_REFUSALS),
        session_placeholder=rng.choice(_NO_SESSIONS) if chance() < _WITHOUT_SESSION_SHARE else None,
        key_field=rng.choices(("idempotencyKey", "eventId", None), (85, 12, 3))[0],
        user_id=user_id,
        actor_type=actor_type,
    )


def machine(source: str, user_id: str | None = None, actor_type: str = "system") -> Visitor:
    """Return a program that sends events without visits, user agent and IP address."""
    return Visitor(source, user_id, actor_type)


Attribution = dict[str, Any]
Arrival = Callable[[Random, str], Attribution]

CAMPAIGNS: Final = ("autumn_launch", "creators_week", "brand_stories", "always_on", "holiday_preview")


def _utm(source: str, medium: str, referrer: str | None = None, click_id: str | None = None) -> Arrival:
    def arrive(rng: Random, page: str) -> Attribution:
        campaign = rng.choice(CAMPAIGNS)
        attribution: Attribution = {"utmSource": source, "utmMedium": medium, "utmCampaign": campaign}
        if rng.random() < 0.3:
            attribution["utmContent"] = rng.choice(("hero", "carousel", "story", "text_a", "text_b"))
        if medium == "cpc" and rng.random() < 0.6:
            attribution["utmTerm"] = rng.choice(("license artwork", "stock music", "character design", "brand mascot"))
        if referrer:
            attribution["referrer"] = referrer
        if click_id:
            attribution[click_id] = f"{click_id[0].upper()}{rng.getrandbits(80):020x}"
        attribution["landingPage"] = f"{page}?utm_source={source}&utm_medium={medium}&utm_campaign={campaign}"
        return attribution

    return arrive


def _referred(*referrers: str) -> Arrival:
    def arrive(rng: Random, page: str) -> Attribution:
        return {"referrer": rng.choice(referrers), "landingPage": page}

    return arrive


def _click_id_only(name: str, referrer: str) -> Arrival:
    def arrive(rng: Random, page: str) -> Attribution:
        return {"referrer": referrer, "landingPage": page, name: f"{rng.getrandbits(80):020x}"}

    return arrive


def _nested(rng: Random, page: str) -> Attribution:
    """Return the link of a mail to reset a password, with personal data in an encoded URL inside the URL."""
    inner = f"/reset?email=ana.maria{rng.randrange(1000)}@{MAIL_DOMAIN}&token={PASSWORD_MARK}{rng.getrandbits(32):08x}"
    for _ in range(rng.choice((1, 2, 3))):
        inner = quote(inner, safe="")
    return {"utmSource": "accounts", "utmMedium": "email", "landingPage": f"{page}?next={inner}"}


# Sources of sessions, with weights: the mix of a small marketplace that buys some of its traffic. Every channel of the
# default group occurs, and some sources that match no rule.
_ARRIVALS: Final = (
    (28.0, lambda rng, page: {"landingPage": page} if rng.random() < 0.3 else {}),
    (22.0, _referred("https://www.google.com/", "https://www.google.com/", "https://www.google.de/")),
    (2.5, _referred("https://www.bing.com/", "https://duckduckgo.com/", "https://search.yahoo.com/search")),
    (8.0, _utm("google", "cpc", "https://www.google.com/", "gclid")),
    (1.2, _utm("bing", "cpc", "https://www.bing.com/", "msclkid")),
    (0.8, _click_id_only("gclid", "https://www.google.com/")),
    (5.0, _utm("facebook", "paid_social", "https://l.facebook.com/", "fbclid")),
    (2.0, _utm("instagram", "paid_social", "https://www.instagram.com/", "fbclid")),
    (1.5, _utm("tiktok", "cpc", "https://www.tiktok.com/", "ttclid")),
    (3.5, _referred("https://www.instagram.com/", "https://t.co/Xy12Ab", "https://www.linkedin.com/feed/")),
    (1.5, _referred("https://www.reddit.com/r/design/", "https://www.pinterest.com/pin/1/")),
    (1.2, _utm("instagram", "social", "https://www.instagram.com/")),
    (1.0, _referred("https://www.youtube.com/")),
    (0.8, _utm("youtube", "cpv", "https://www.youtube.com/")),
    (0.9, _referred("https://chatgpt.com/", "https://www.perplexity.ai/", "https://gemini.google.com/app")),
    (5.5, _utm("newsletter", "email")),
    (
        6.0,
        _referred("https://blog.makers.example/tools", "https://awwwards.example/", "https://designweek.example/a/7"),
    ),
    (1.6, _utm("partnerize", "affiliate", "https://deals.example/")),
    (1.8, _utm("dv360", "display")),
    (0.5, _utm("taboola", "cpm")),
    (0.6, _utm("google", "cross-network", "https://www.google.com/", "gclid")),
    (0.4, lambda rng, page: _utm("google", "cpc", None, "gclid")(rng, page) | {"utmCampaign": "shopping_feed"}),
    (0.3, lambda rng, page: _utm("shop_portal", "referral")(rng, page) | {"utmCampaign": "shop_the_look"}),
    (0.4, _utm("sms", "sms")),
    (0.5, _utm("app", "push")),
    (0.3, _utm("podcast_ads", "audio")),
    (0.7, _utm("qr_poster", "offline")),
    (0.3, _utm("Newsletter", "E-Mail")),
    (0.3, _utm("İstanbul-Partner", "Email\N{NO-BREAK SPACE}")),
    (0.4, _click_id_only("wbraid", "https://www.google.com/")),
    (0.3, _nested),
    # Referrers that name no site: hybrid apps, empty pages, a private address, and URLs without a host.
    (0.6, _referred("capacitor://localhost/", "about:blank", "http://192.168.1.20/preview", "http://", "not a url")),
    (0.4, _referred("android-app://com.google.android.gm/", "https://m.facebook.com/")),
)
_ARRIVAL_KINDS: Final = [arrive for _, arrive in _ARRIVALS]
_ARRIVAL_WEIGHTS: Final = [sum(weight for weight, _ in _ARRIVALS[: index + 1]) for index in range(len(_ARRIVALS))]


def arrival(rng: Random, path: str) -> Attribution:
    """Return the attribution of a session that begins on a page; empty for most direct visits."""
    return rng.choices(_ARRIVAL_KINDS, cum_weights=_ARRIVAL_WEIGHTS)[0](rng, OWN_SITE + path)
